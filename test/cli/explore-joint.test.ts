/** `kho-check explore --against implementation` as its users meet it. */
import { describe, expect, it } from 'vitest';
import { call, complaintOf, inOwnDirectory, untidyLines } from './call.ts';

inOwnDirectory();

const JOINT = ['explore', '--against', 'implementation'];
const BROKEN = [...JOINT, '--scope', 'border', '--fault', 'unpreserve-first-block'];

describe('explore --against implementation', () => {
  it('prints one document, and leaves a trace that breaks the rule again', async () => {
    const { status, out } = await call(...BROKEN, '--json');
    expect(status).toBe(1);
    const found = JSON.parse(out) as { violation: string };
    expect(found).toMatchObject({
      scope: 'border',
      complete: false,
      stopped: null,
      against: 'implementation',
      kernel: '7.3',
      faults: ['unpreserve-first-block'],
      rule: 'PRS-07',
      steps: 3,
    });
    const again = await call('replay', found.violation, '--json');
    expect(again.status).toBe(1);
    expect(JSON.parse(again.out)).toMatchObject({
      outcome: 'still fails',
      rule: 'PRS-07',
      step: 2,
    });
  });

  it('tells the trace and that none is shorter, in 80 columns', async () => {
    const { status, out } = await call(...BROKEN);
    expect(status).toBe(1);
    expect(out).toContain('PRS-07 in 3 steps, the fewest of any trace of this scope');
    expect(out).toMatch(/No trace of this scope with fewer steps breaks a rule/);
    expect(untidyLines(out)).toEqual([]);
  });

  it('is inconclusive when memory ends it', async () => {
    const { status, out } = await call(
      ...JOINT,
      '--scope',
      'page',
      '--memory-limit',
      '1K',
      '--json',
    );
    expect(status).toBe(3);
    expect(JSON.parse(out)).toMatchObject({ complete: false, stopped: 'memory', violation: null });
  });

  it('says in its help what it does not do', async () => {
    const { status, out } = await call('explore', '--help');
    expect(status).toBe(0);
    const text = out.replace(/\s+/g, ' ');
    for (const option of ['--symmetry', '--workers <n>', '--resume <file>', '--rules <when>']) {
      expect(text.slice(text.indexOf(option)), option).toMatch(/^[^;]*; law alone/);
    }
  });

  it('lists its scopes', async () => {
    const { status, out } = await call(...JOINT, '--list');
    expect(status).toBe(0);
    expect(out).toContain('border  Linux 7.3, 34 states');
    expect(untidyLines(out)).toEqual([]);
  });

  it.each([
    [JOINT, /needs --scope NAME/],
    [[...JOINT, '--scope', 'chain3'], /no scope 'chain3' of law and implementation/],
    [[...JOINT, '--scope', 'page', '--symmetry'], /--symmetry is for --against law/],
    [[...JOINT, '--scope', 'page', '--workers', '2'], /--workers is for --against law; leave it/],
    [[...JOINT, '--scope', 'page', '--resume', 'x'], /--resume is for --against law; leave it out/],
    [[...JOINT, '--scope', 'page', '--rules', 'new'], /--rules new is for --against law/],
    [[...JOINT, '--scope', 'page', '--fault', 'none'], /no fault 'none'/],
    [['explore', '--scope', 'reference-small', '--fault', 'x'], /go with --against/],
  ])('complains in one line: %j', async (argv, words) => {
    expect(complaintOf(await call(...argv))).toMatch(words);
  });
});
