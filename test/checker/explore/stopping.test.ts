/** Limits, checkpoints and several workers: none of them changes what a search comes to. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readCheckpoint, writeCheckpoint } from '#src/checker/explore/checkpoint';
import { explore } from '#src/checker/explore/explore';
import type { Outcome } from '#src/checker/explore/explore';
import type { ExploreOptions } from '#src/checker/explore/progress';
import { REFERENCE_BROKEN, REFERENCE_SMALL, referenceScope } from '#model/reference/reference';
import { scopeByName } from '#model/scopes/named';
import type { AnyScope } from '#model/scopes/scope';

const directory = mkdtempSync(join(tmpdir(), 'kho-check-explore-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const BASE: ExploreOptions = { symmetry: false, workers: 1, everyTransition: true };

/** What does not depend on how a search was cut and shared out. */
const essence = ({ exploration }: Outcome): unknown => {
  const { states, transitions, depth, complete, deadlocks, neverEnabled, violation } = exploration;
  return { states, transitions, depth, complete, deadlocks, neverEnabled, violation };
};

/** Without a declared capacity memory grows as states are found. */
const growing: AnyScope = referenceScope('growing', { scratch: 1, other: 4, kernels: 3 });
const SMALL_LIMIT = 250_000;

describe('a memory limit', () => {
  it('stops a search cleanly, and with more memory it goes on to the same end', async () => {
    const whole = await explore(growing, BASE);
    const cut = await explore(growing, { ...BASE, memoryLimit: SMALL_LIMIT });
    expect(cut.exploration).toMatchObject({ complete: false, stopped: 'memory' });
    expect(cut.exploration.states).toBeGreaterThan(1000);
    expect(cut.exploration.states).toBeLessThan(whole.exploration.states);
    const kind = { symmetry: false, everyTransition: true };
    const path = join(directory, 'growing.checkpoint');
    writeCheckpoint(path, growing, kind, cut.stopped!);
    const { stopped } = readCheckpoint(path, () => growing);
    expect(essence(await explore(growing, { ...BASE, resume: stopped }))).toEqual(essence(whole));
    expect(essence(await explore(growing, { ...BASE, resume: stopped }))).toEqual(essence(whole));
  });

  it('keeps what it says: rows, parents and hash slots fit', async () => {
    const { exploration } = await explore(growing, { ...BASE, memoryLimit: SMALL_LIMIT });
    const bytes = exploration.bytesPerState * exploration.states;
    expect(bytes).toBeLessThanOrEqual(SMALL_LIMIT * 1.01);
  });
});

describe('a time limit', () => {
  it('stops a search, which goes on to the same end', async () => {
    const whole = await explore(growing, BASE);
    let cut = await explore(growing, { ...BASE, timeLimit: 0 });
    expect(cut.exploration).toMatchObject({ complete: false, stopped: 'time' });
    for (let i = 0; cut.stopped !== undefined && i < 3; i++) {
      cut = await explore(growing, { ...BASE, timeLimit: 0, resume: cut.stopped });
    }
    expect(essence(await explore(growing, { ...BASE, resume: cut.stopped }))).toEqual(
      essence(whole),
    );
  });
});

describe('a checkpoint', () => {
  it('that is damaged or of something else is refused', async () => {
    const { stopped } = await explore(growing, { ...BASE, timeLimit: 0 });
    const path = join(directory, 'damaged.checkpoint');
    const kind = { symmetry: false, everyTransition: true };
    writeCheckpoint(path, growing, kind, stopped!);
    const other = { ...growing, frames: [...growing.frames, 9] };
    expect(() => readCheckpoint(path, () => other)).toThrow(/has changed since/);
    expect(() => readCheckpoint(path, () => undefined)).toThrow(/has changed since/);
    truncateSync(path, readFileSync(path).length - 4);
    expect(() => readCheckpoint(path, () => growing)).toThrow(/not as long/);
    writeFileSync(path, 'no checkpoint\n');
    expect(() => readCheckpoint(path, () => growing)).toThrow(/not a checkpoint/);
  });
});

describe('two workers', () => {
  it.each([
    ['symmetric', REFERENCE_SMALL, true],
    ['with a rule that breaks', REFERENCE_BROKEN, false],
  ])('come to what one comes to: %s', async (_, scope, symmetry) => {
    expect(scopeByName(scope.name)).toBe(scope);
    const alone = await explore(scope, { ...BASE, symmetry });
    const together = await explore(scope, { ...BASE, symmetry, workers: 2 });
    expect(essence(together)).toEqual(essence(alone));
  });

  it('leave a checkpoint from which one goes on, and the other way round', async () => {
    const whole = essence(await explore(REFERENCE_SMALL, BASE));
    const cut = await explore(REFERENCE_SMALL, { ...BASE, workers: 2, memoryLimit: 1 });
    const alone = await explore(REFERENCE_SMALL, { ...BASE, timeLimit: 0 });
    expect(cut.exploration.stopped).toBe('memory');
    expect(essence(await explore(REFERENCE_SMALL, { ...BASE, resume: cut.stopped }))).toEqual(
      whole,
    );
    const resumed = { ...BASE, workers: 2, resume: alone.stopped };
    expect(essence(await explore(REFERENCE_SMALL, resumed))).toEqual(whole);
  });
});
