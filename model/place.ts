/** Places in memory, by a word: where steps put what has to be somewhere in particular. */
import { areaSlots } from '#spec/state';
import type { State } from '#spec/state';

/** A place; `back` frames before it, or one behind it where that is -1. */
export type Place =
  | { readonly at: 'slot'; readonly slot: number; readonly back: number }
  | { readonly at: 'end of memory'; readonly back: number }
  /** Frame 2^log2: the first of a table, a bitmap or a leaf of the tracker. */
  | { readonly at: 'power of two'; readonly log2: number; readonly back: number }
  | { readonly at: 'node border'; readonly node: number; readonly back: number }
  | { readonly at: 'start of scratch'; readonly area: number; readonly back: number }
  | { readonly at: 'end of scratch'; readonly area: number; readonly back: number };

/** Slots are spread over memory, this many of them. */
export const SLOTS = 16;

/** Frame of a place, or -1 when the machine has no such place. */
export const frameOf = (place: Place, state: State): number => {
  const { machine } = state;
  switch (place.at) {
    case 'slot':
      return slotFrame(machine.end, place.slot) - place.back;
    case 'end of memory':
      return machine.end - place.back;
    case 'power of two':
      return 2 ** place.log2 - place.back;
    case 'node border': {
      const node = machine.nodes[place.node + 1];
      return node === undefined ? -1 : node.first - place.back;
    }
    case 'start of scratch':
    case 'end of scratch': {
      if (place.area >= areaSlots(machine)) return -1;
      const first = state.areaFirst.get(place.area);
      const count = state.areaCount.get(place.area);
      if (count === 0) return -1;
      return first + (place.at === 'end of scratch' ? count : 0) - place.back;
    }
  }
};

/** Slots lie away from the ends of memory and are aligned to eight frames. */
const slotFrame = (end: number, slot: number): number =>
  Math.floor((end * (2 * (slot % SLOTS) + 1)) / (2 * SLOTS) / 8) * 8;
