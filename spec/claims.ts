/**
 * Who has a claim on memory that was handed over: up to v4 every node that named it has one.
 *
 * Memory is held as long as there is a claim on it. Its owner is whoever preserved it for its own
 * sake; each user that has a node in the tree has a claim on what its node names.
 */
import { HELD } from './state.ts';
import type { State } from './state.ts';

/** Whether the owner still has its claim on a held frame. */
export const ownerClaims = (s: State, pfn: number): boolean => {
  for (let order = 0; order <= 31; order++) {
    const head = ((pfn >>> order) << order) >>> 0;
    const block = s.use.get(head) === HELD ? s.block.get(head) : 0;
    if (block > order) return true;
    // What starts at 0 and is smaller than this order ends before the frame.
    if (head === 0) return false;
  }
  return false;
};

/** Whether the user of a name still has a claim on a frame. */
const userClaims = (s: State, name: number, pfn: number): boolean => {
  const first = s.inFrame.get(name) - 1;
  if (first < 0 || first > pfn || s.inReturned.get(name) === 1) return false;
  return pfn < first + Math.ceil(s.inBytes.get(name) / 2 ** s.machine.pageShift);
};

/** Whether a user other than that of `except` has a claim on a frame; -1 excepts nobody. */
export const anyUserClaims = (s: State, pfn: number, except = -1): boolean => {
  for (let name = 0; name < s.machine.nameBytes.length; name++) {
    if (name !== except && userClaims(s, name, pfn)) return true;
  }
  return false;
};
