/** Bugs of the live update orchestrator, fixed and open: kernel/liveupdate/luo_*.c. */
import { ALL } from './bug.ts';
import type { Bug } from './bug.ts';

const SESSION = 'kernel/liveupdate/luo_session.c';
const FILE = 'kernel/liveupdate/luo_file.c';

export const LIVE_UPDATE_BUGS: readonly Bug[] = [
  {
    id: 'L04',
    title: 'a file is preserved by two tokens, or by two sessions',
    says: 'a file that a session has is preserved once more',
    shipped: { '6.19': ALL, '7.0': ALL },
    kernel: '7.3',
    rule: 'LUO-11',
    at: { file: FILE, symbol: 'luo_preserve_file' },
    trace: 'preserve a file with one token, and once more with another: both succeed',
    source: '7.1; reported by Yifei Chu, 24 May 2026',
    overrides: { luoKnowsFiles: false },
  },
  {
    id: 'L07',
    title: 'liveupdate: reject LIVEUPDATE_IOCTL_CREATE_SESSION with invalid name',
    says: 'a session may have no name',
    shipped: { '6.19': ALL, '7.0': ALL, '7.1': 3 },
    kernel: '7.3',
    rule: 'LUO-05',
    at: { file: SESSION, symbol: 'luo_session_create' },
    trace: 'create a session whose name is empty',
    source: '7.1.4',
    overrides: { luoChecksNames: false },
  },
  {
    id: 'S3',
    title: 'a session that is refused for its name leaves an empty block; the next kernel panics',
    says: 'the list of sessions grows before the name is looked at, and does not shrink again',
    shipped: { '7.2': ALL, '7.3': ALL },
    kernel: '7.3',
    rule: 'LUO-07',
    at: { file: SESSION, symbol: 'luo_session_insert' },
    trace: 'create 51 sessions, create one of them again, kexec: the next kernel panics',
    source: 'suspected from reading 7.3.4',
    overrides: { luoShrinksWhenRefused: false },
  },
];
