/**
 * The part of the state that is about the live update orchestrator.
 *
 * Sessions are told apart by the index of their name, files by their token; no two files of the
 * outgoing sessions have the same token, nor do two of the incoming ones. The pages of a file are
 * linked by `vmNext`, the first one to the second and so on.
 */
import { frameCells, kernelCell, slotCells } from './algebra/cells.ts';
import type { Scope } from './algebra/cells.ts';

/** Values of `luoUse`: what the orchestrator has a frame for. */
export const LUO_HEAD = 1;
export const LUO_FLBS = 2;
export const LUO_SESSIONS = 3;
/** From here on: the file with token 0, 1, …; behind them, the list of files of session 0, 1, …. */
export const LUO_FIRST_FILE = 4;

const sessions = (s: Scope): number => s.sessions ?? 0;
const files = (s: Scope): number => s.files ?? 0;

export const LIVE_UPDATE_CELLS = {
  luo: kernelCell('the orchestrator is up', () => 1),
  luoLeft: kernelCell('the previous kernel left sessions that nobody read yet', () => 1),
  luoUse: frameCells('what the orchestrator has the frame for', (s) => {
    return sessions(s) === 0 ? 0 : LUO_FIRST_FILE + files(s) + sessions(s);
  }),
  sessionOut: slotCells('a session of that name will be handed over', sessions, () => 1),
  sessionIn: slotCells('it was handed over: 1; somebody has retrieved it: 2', sessions, () => 2),
  fileOut: slotCells('1 + session that keeps the file with that token', files, sessions),
  fileOutFirst: slotCells('1 + first frame of that file, 0 when it is empty', files, (s) => {
    return s.frames;
  }),
  fileOutPages: slotCells('pages of that file', files, (s) => s.frames),
  fileIn: slotCells('1 + session that the file with that token came in', files, sessions),
  fileInFirst: slotCells('1 + first frame of that file', files, (s) => s.frames),
  fileInPages: slotCells('pages of that file', files, (s) => s.frames),
  fileGot: slotCells('somebody has retrieved that file', files, () => 1),
} as const;
