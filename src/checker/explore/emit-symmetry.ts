/**
 * Bringing a row into its canonical form, written out for one layout.
 *
 * Blocks of a class are ordered by what they hold. A class of single frames that lie side by side
 * is sorted in place by insertion: rows come from sorted ones and differ in one frame, as a rule.
 */
import { laneAt, laneMask } from './layout.ts';
import type { Program } from './program.ts';

const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The function `name` that brings a row into canonical form and hands it to `next`. */
export const canonText = (program: Program, name: string, next: string): string => {
  const { layout, classes } = program;
  const { words, laneWords } = layout;
  const lanes = layout.frames.length;
  const n = count(words).map((w) => `n${w}`);
  const unpack = count(lanes).map((p) => {
    const { word, shift } = laneAt(layout, p);
    return `L[${p}]=(n${word}>>>${shift})&${laneMask(layout)};`;
  });
  const pack = count(laneWords).map((w) =>
    count(lanes)
      .filter((p) => laneAt(layout, p).word === w)
      .map((p) => `(L[${p}]<<${laneAt(layout, p).shift})`)
      .join('|'),
  );
  const sort = classes.map((blocks, index) => {
    const first = blocks[0]?.[0] ?? 0;
    const sideBySide = blocks.every((b, i) => b.length === 1 && b[0] === first + i);
    if (!sideBySide) return `env.sortClass(L,${index});`;
    return `for(let i=${first + 1};i<${first + blocks.length};i++){const v=L[i];let j=i-1;
      while(j>=${first}&&L[j]>v){L[j+1]=L[j];j--;}L[j+1]=v;}`;
  });
  const globals = count(words).slice(laneWords);
  return `function ${name}(${n.join(',')},me){const L=env.lanes;${unpack.join('')}${sort.join('')}
    ${next}(${[...pack, ...globals.map((w) => `n${w}`)].join(',')},me);}`;
};
