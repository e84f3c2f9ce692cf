/** What calls of live update leave behind in the law: sessions, files, and whose a page is. */
import { describe, expect, it } from 'vitest';
import { ACTION } from '#spec/law';
import { useOfFile } from '#spec/live-update-state';
import type { Call } from '#spec/call';
import type { State } from '#spec/state';
import type { CallAnswer } from '#model/call';
import { prepared, strictAnswer } from './borders.ts';
import { call, says } from './witnesses.ts';

const AT = 0x1000;
const SESSION = 2;
const TOKEN = 5;

const does = (s: State, by: Call, answer: CallAnswer = says(0)): void =>
  ACTION[by.action].effect(s, by, strictAnswer(answer));

/** Two sessions with a file each. */
const busy = (): State =>
  prepared(
    (s) => {
      s.luo.set(1);
      s.sessionOut.set(SESSION, 1);
      s.fileOut.set(TOKEN, SESSION + 1);
      s.sessionOut.set(SESSION - 2, 1);
      s.fileOut.set(TOKEN + 1, SESSION - 1);
    },
    { liveUpdate: { sessions: 8, files: 8 } },
  );

describe('sessions', () => {
  it('are gone with the machine that was switched off', () => {
    const s = busy();
    s.sessionIn.set(1, 2);
    does(s, call('coldBoot'));
    expect([s.luo, s.luoLeft].map((cell) => cell.get())).toEqual([0, 0]);
    const left = [SESSION, SESSION - 2, 1].flatMap((at) => [
      s.sessionOut.get(at),
      s.sessionIn.get(at),
    ]);
    expect([...left, s.fileOut.get(TOKEN)]).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  it('take their own files with them when they are closed, and no other', () => {
    const s = busy();
    does(s, call('luoCloseSession', { name: SESSION }));
    expect([s.sessionOut.get(SESSION), s.fileOut.get(TOKEN)]).toEqual([0, 0]);
    expect([s.sessionOut.get(SESSION - 2), s.fileOut.get(TOKEN + 1)]).toEqual([1, SESSION - 1]);
  });
});

describe('pages of a memfd that came back', () => {
  it('are those of the file that it becomes again', () => {
    const s = busy();
    s.content.set(AT, 77);
    const again = call('luoPreserveFile', { name: SESSION, value: 7, count: 1, pfn: AT });
    does(s, again, says(0, { pages: [[AT, 1]], chunks: [[AT + 8, 1]] }));
    expect([s.luoUse.get(AT), s.kept.get(AT), s.content.get(AT)]).toEqual([useOfFile(7), 1, 77]);
    expect(s.fileOut.get(7)).toBe(SESSION + 1);
  });
});
