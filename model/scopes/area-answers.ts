/**
 * Answers about vmalloc areas: which blocks an area got in which order, which chunks list it.
 *
 * Each list is tried with as many chunks as the law asks for, in any frames; each area with any
 * sequence of aligned blocks.
 */
import type { Call } from '#spec/call';
import { EINVAL, ENOENT, ENOMEM, EOPNOTSUPP } from '#spec/errno';
import { AREA_ALLOC, AREA_HUGE, chunkEntries, chunksOf } from '#spec/vmalloc';
import { framesOf, numbers, offer, sequences } from './offer.ts';
import type { Offer } from './offer.ts';
import type { RangeList } from '../call.ts';
import type { SmallWorld } from './small-world.ts';

const addAll = (list: RangeList, firsts: readonly number[], count: number): void => {
  for (const first of firsts) list.add(first, count);
};

/** Every sequence of blocks that an area of a call might have. */
const blockSequences = ({ machine }: SmallWorld, { count, order }: Call) => {
  const heads = framesOf(machine).filter((pfn) => pfn > 0 && pfn % 2 ** order === 0);
  return sequences(heads, count / 2 ** order);
};

/** Every sequence of chunks that its list might have. */
const chunkSequences = ({ machine }: SmallWorld, { count, order }: Call) => {
  const frames = framesOf(machine).filter((pfn) => pfn > 0);
  return sequences(frames, chunksOf(machine.pageShift, count / 2 ** order));
};

export const areas = (world: SmallWorld, call: Call): readonly Offer[] => [
  ...blockSequences(world, call).map((blocks) =>
    offer(blocks[0] ?? 0, ({ pages }) => addAll(pages, blocks, 2 ** call.order)),
  ),
  ...numbers(-ENOMEM),
];

/** What preserving the area that starts at `call.pfn` may answer. */
export const keptAreas = (world: SmallWorld, call: Call): readonly Offer[] => {
  const entries = chunkEntries(world.machine.pageShift);
  const areasHere = blockSequences(world, call).filter(([first]) => first === call.pfn);
  const kept = areasHere.flatMap((blocks) =>
    chunkSequences(world, call).flatMap((list) =>
      [AREA_ALLOC, AREA_ALLOC | AREA_HUGE].map((flags) =>
        offer(list[0] ?? 0, (answer) => {
          addAll(answer.pages, blocks, 2 ** call.order);
          addAll(answer.taken, list, 1);
          list.forEach((chunk, at) =>
            answer.chunks.add(chunk, Math.min(entries, blocks.length - at * entries)),
          );
          answer.total = call.count;
          answer.order = call.order;
          answer.flags = flags;
        }),
      ),
    ),
  );
  return [...kept, ...numbers(-EINVAL, -ENOMEM, -EOPNOTSUPP)];
};

export const takenBackAreas = (world: SmallWorld, call: Call): readonly Offer[] =>
  chunkSequences(world, call).map((list) => offer(0, ({ given }) => addAll(given, list, 1)));

export const restoredAreas = (world: SmallWorld, call: Call): readonly Offer[] => {
  const lists = chunkSequences(world, call).filter(([first]) => first === call.pfn);
  const restored = blockSequences(world, call).flatMap((blocks) =>
    lists.map((list) =>
      offer(0, (answer) => {
        addAll(answer.pages, blocks, 2 ** call.order);
        addAll(answer.given, list, 1);
        answer.managed = call.count + list.length;
        answer.total = call.count;
        answer.order = call.order;
        answer.flags = call.value;
      }),
    ),
  );
  return [...restored, ...numbers(-ENOENT)];
};
