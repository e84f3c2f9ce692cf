/** `kho-check explore` as its users meet it. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { call, complaintOf, inOwnDirectory, untidyLines } from './call.ts';

inOwnDirectory();

const SMALL = ['explore', '--scope', 'reference-small'];

describe('explore', () => {
  it('tells that everything holds, in 80 columns', async () => {
    const { status, out } = await call(...SMALL);
    expect(status).toBe(0);
    expect(out).toContain('states         5,628');
    expect(untidyLines(out)).toEqual([]);
  });

  it('prints one document', async () => {
    const { status, out } = await call(...SMALL, '--symmetry', '--json');
    expect(status).toBe(0);
    const document = JSON.parse(out) as Record<string, unknown>;
    expect(Object.keys(document)).toEqual([
      'scope',
      'states',
      'transitions',
      'depth',
      'complete',
      'stopped',
      'symmetry',
      'workers',
      'milliseconds',
      'setupMilliseconds',
      'bytesPerState',
      'deadlocks',
      'neverEnabled',
      'violation',
    ]);
    expect(document).toMatchObject({ states: 1296, complete: true, violation: null });
  });

  it('tells a broken rule by its shortest trace, and saves it', async () => {
    const { status, out } = await call('explore', '--scope', 'reference-broken');
    expect(status).toBe(1);
    expect(out).toContain('REF-02');
    expect(out).toContain('kexec()');
    expect(untidyLines(out)).toEqual([]);
    const { out: json } = await call('explore', '--scope', 'reference-broken', '--json');
    const { violation } = JSON.parse(json) as { violation: string };
    const saved = JSON.parse(readFileSync(violation, 'utf8')) as { steps: unknown[] };
    expect(saved.steps).toHaveLength(6);
  });

  it('stops at a limit with status 3, and goes on from its checkpoint', async () => {
    const limited = await call(...SMALL, '--memory-limit', '1K', '--json');
    expect(limited.status).toBe(3);
    expect(JSON.parse(limited.out)).toMatchObject({ complete: false, stopped: 'memory' });
    const checkpoint = '.kho/explore-reference-small.checkpoint';
    expect(existsSync(checkpoint)).toBe(true);
    const resumed = await call('explore', '--resume', checkpoint, '--json');
    expect(resumed.status).toBe(0);
    expect(JSON.parse(resumed.out)).toMatchObject({ states: 5628, transitions: 28_120 });
    const other = await call('explore', '--scope', 'reference', '--resume', checkpoint);
    expect(complaintOf(other)).toMatch(/is of scope 'reference-small'/);
  });

  it.each([
    [['explore'], /needs --scope NAME/],
    [['explore', '--scope', 'nowhere'], /no scope 'nowhere'/],
    [['explore', '--resume', 'nothing'], /cannot read the checkpoint nothing: ENOENT/],
    [[...SMALL, '--workers', '0'], /--workers takes/],
  ])('complains in one line: %j', async (argv, words) => {
    expect(complaintOf(await call(...argv))).toMatch(words);
  });

  it('lists its scopes', async () => {
    const { status, out } = await call('explore', '--list');
    expect(status).toBe(0);
    expect(out).toContain('reference');
    expect(untidyLines(out)).toEqual([]);
  });
});
