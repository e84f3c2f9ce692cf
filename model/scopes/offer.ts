/** Answers that exploration offers to the law, made once and never changed. */
import type { Answer } from '#spec/call';
import type { Machine } from '#spec/machine';
import type { State } from '#spec/state';
import { CallAnswer } from '../call.ts';

/** An answer that a system might give. */
export interface Offer {
  readonly answer: Answer;
  /** Whether it is the one to take where the law leaves a choice; it is when absent. */
  readonly chosen?: (s: State) => boolean;
}

/** An answer with this value, filled by `fill`. */
export const offer = (value: number, fill: (answer: CallAnswer) => void = () => {}): Offer => {
  const answer = new CallAnswer();
  answer.reset(value);
  fill(answer);
  return { answer };
};

/** Answers that say nothing but a number. */
export const numbers = (...values: readonly number[]): readonly Offer[] =>
  values.map((value) => offer(value));

/** Every frame of a machine. */
export const framesOf = ({ end }: Machine): readonly number[] =>
  Array.from({ length: end }, (_, pfn) => pfn);

/** Every sequence of `length` different elements of `list`, in the order of `list`. */
export const sequences = <T>(list: readonly T[], length: number): readonly (readonly T[])[] => {
  if (length <= 0) return [[]];
  return sequences(list, length - 1).flatMap((start) =>
    list.filter((next) => !start.includes(next)).map((next) => [...start, next]),
  );
};

/** One of each list, in every combination. */
export const combinations = <T>(lists: readonly (readonly T[])[]): readonly (readonly T[])[] =>
  lists.reduce<readonly (readonly T[])[]>(
    (starts, list) => starts.flatMap((start) => list.map((next) => [...start, next])),
    [[]],
  );
