/** What is known of traces that are shorter than a counterexample, as text and as JSON. */
import type { Alphabet } from '../checker/alphabet.ts';
import type { JointProof } from '../checker/joint/proof.ts';
import type { Shortest } from '../checker/shortest.ts';
import type { Colors } from './colors.ts';
import { wrap } from './counterexample.ts';

type Proof = JointProof | Shortest;

const number = (value: number): string => value.toLocaleString('en-US');

const stepsText = (count: number): string => `${count} step${count === 1 ? '' : 's'}`;

/** A letter as people read it: `claim (place node border 0 1, count 3)`. */
const letterText = ({ do: name, ...fields }: { readonly do: string }): string => {
  const told = Object.entries(fields).map(([field, value]) => `${field} ${valueText(value)}`);
  return told.length === 0 ? name : `${name} (${told.join(', ')})`;
};

const valueText = (value: unknown): string =>
  typeof value === 'object' && value !== null ? Object.values(value).join(' ') : String(value);

/** The document of a proof; `executions` is how many traces, or transitions, were tried. */
export const proofJson = (proof: Proof): object => {
  const { method, proven, complete, stopped, alphabet } = proof;
  const tried =
    method === 'joint'
      ? { transitions: proof.transitions, states: proof.states }
      : { executions: proof.executions };
  return { method, proven, complete, stopped, ...tried, alphabet };
};

const methodText = (proof: Proof): string =>
  proof.method === 'joint'
    ? `law beside implementation, ${number(proof.transitions)} transitions from ` +
      `${number(proof.states)} states tried, everything compared after each`
    : `${number(proof.executions)} traces run from their start, as their states are too large ` +
      'to be remembered';

const verdictText = (proof: Proof, rule: string, colors: Colors): string => {
  const { complete, proven, trace, stopped } = proof;
  const { length } = trace.steps;
  if (complete) {
    return colors.green(
      `proven: ${stepsText(length)} is the least, no shorter trace of these breaks ${rule}`,
    );
  }
  const limit = stopped === 'runs' ? 'number of runs' : `${stopped} limit`;
  return colors.yellow(
    `not proven: no trace of up to ${stepsText(proven)} breaks ${rule}; then the ${limit} ended it`,
  );
};

const alphabetLines = ({ own, roads, simpler }: Alphabet): string[] => {
  const parts = [
    ['its own', own],
    ['roads', roads],
    ['simpler', simpler],
  ] as const;
  return parts.flatMap(([name, letters]) => {
    const text = letters.length === 0 ? 'none' : letters.map(letterText).join('; ');
    const lines = wrap(text, 11);
    return lines.map((line, at) => (at === 0 ? `  ${name.padEnd(9)}${line.trim()}` : line));
  });
};

/** The proof and what exactly it speaks of, in 80 columns; ends with a line break. */
export const proofText = (proof: Proof, rule: string, colors: Colors): string => {
  const { own, roads, simpler } = proof.alphabet;
  const count = own.length + roads.length + simpler.length;
  return [
    ...wrap(verdictText(proof, rule, colors), 0),
    ...wrap(methodText(proof), 2),
    `  ${count} kinds of step, in any order and on any object:`,
    ...alphabetLines(proof.alphabet),
    '',
  ].join('\n');
};
