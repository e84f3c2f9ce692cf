/**
 * Every trace of the corpus is as short as it can be: no shorter one of its alphabet breaks the
 * rule. Those of up to six steps have to be proven; longer ones may run out of time, and then none
 * is found up to where they came. `npx kho-check shrink FILE --prove` makes one that is too long as
 * short as that.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isSearchable } from '#src/checker/joint/proof';
import { corpus, prove } from '../checker/joint/proving.ts';

/** Steps up to which a trace is proven, however long that takes. */
const PROVEN_UP_TO = 6;
/** Milliseconds for a longer one. */
const TIME = 300_000;

const names = readdirSync('test/corpus').map((name) => name.replace('.json', ''));

describe('the corpus', () => {
  it.each(names)('has nothing that is longer than it need be: %s', (name) => {
    const file = corpus(name);
    const { length } = file.steps;
    if (!isSearchable(file.steps)) return;
    const { complete, trace, proven } = prove(
      file,
      length > PROVEN_UP_TO ? { timeLimit: TIME } : {},
    );
    expect(trace.steps, 'the shortest').toHaveLength(length);
    expect(complete || length > PROVEN_UP_TO, `proven up to ${proven} steps`).toBe(true);
  });
});
