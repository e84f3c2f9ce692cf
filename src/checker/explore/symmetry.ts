/**
 * Symmetry: frames of a class may be exchanged, so one state stands for all that differ only so.
 *
 * The canonical state of an orbit has the blocks of every class in ascending order of what they
 * hold. Classes are sorted in the order in which they are declared, inner ones first.
 */
import type { AnyScope } from '#model/scopes/scope';
import { ScopeError } from './layout.ts';
import type { Layout } from './layout.ts';

/** The classes of a scope by lane; throws a ScopeError where a declaration cannot be meant. */
export const laneClasses = (
  scope: AnyScope,
  layout: Layout,
): readonly (readonly (readonly number[])[])[] =>
  (scope.symmetry ?? []).map((blocks) =>
    blocks.map((block) => {
      if (block.length !== blocks[0]!.length) {
        throw new ScopeError('the blocks of a symmetry class have one length');
      }
      return block.map((pfn) => {
        const lane = layout.laneOf(pfn);
        if (lane < 0) throw new ScopeError(`frame ${pfn} of a symmetry class is not in the scope`);
        return lane;
      });
    }),
  );

const isAbove = (lanes: Int32Array, a: readonly number[], b: readonly number[]): boolean => {
  for (let i = 0; i < a.length; i++) {
    const difference = lanes[a[i]!]! - lanes[b[i]!]!;
    if (difference !== 0) return difference > 0;
  }
  return false;
};

/** Sorts the blocks of a class in place. */
export const sortBlocks = (lanes: Int32Array, blocks: readonly (readonly number[])[]): void => {
  for (let i = 1; i < blocks.length; i++) {
    for (let j = i; j > 0 && isAbove(lanes, blocks[j - 1]!, blocks[j]!); j--) {
      const [a, b] = [blocks[j - 1]!, blocks[j]!];
      for (let k = 0; k < a.length; k++) {
        const kept = lanes[a[k]!]!;
        lanes[a[k]!] = lanes[b[k]!]!;
        lanes[b[k]!] = kept;
      }
    }
  }
};

/**
 * How many states a canonical one stands for. Classes are independent, or an outer class moves
 * whole blocks that inner classes have sorted: then each arrangement is counted once per level.
 */
export const orbitSize = (
  lanes: Int32Array,
  classes: readonly (readonly (readonly number[])[])[],
): number => {
  let size = 1;
  for (const blocks of classes) {
    const seen = new Map<string, number>();
    blocks.forEach((block, i) => {
      const key = block.map((lane) => lanes[lane]).join();
      const times = (seen.get(key) ?? 0) + 1;
      seen.set(key, times);
      size = (size * (i + 1)) / times;
    });
  }
  return size;
};
