/** What a run of several kernels asks to be reached: what enough of them know. */
import { describe, expect, it } from 'vitest';
import { missingOutcomes } from '#src/checker/outcomes';

const NOTHING = new Map<string, number>();

describe('outcomes that a run of several kernels did not reach', () => {
  const kernels = ['6.18', '7.0', '7.1', '7.3'] as const;
  const asked = (isAsked?: (part: number) => boolean): readonly string[] =>
    missingOutcomes(NOTHING, 0, kernels, isAsked);

  it('are those that any of them knows', () => {
    expect(asked()).toEqual(expect.arrayContaining(['abort ok', 'abort -EINVAL', 'kexec -EINVAL']));
    expect(missingOutcomes(NOTHING, 0, ['7.1', '7.3']).join()).not.toMatch(/abort|finalize/);
  });

  it('are told by how many of them know them', () => {
    // Aborting works in one of the four and is refused in another; two cannot be asked.
    const quarter = asked((part) => part === 0.25);
    expect(quarter).toEqual(expect.arrayContaining(['abort ok', 'abort -ENOENT', 'abort -EINVAL']));
    expect(quarter).not.toContain('kexec -EINVAL');
    expect(asked((part) => part === 0.5)).toContain('finalize ok');
    const all = asked((part) => part === 1);
    expect(all).toEqual(expect.arrayContaining(['kexec -EINVAL', 'kexec with a handover']));
    expect(all.join()).not.toMatch(/abort|finalize/);
  });

  it('are all of them, each asked for at one of the parts', () => {
    const parts = [0.25, 0.5, 0.75, 1].flatMap((each) => asked((part) => part === each));
    expect(parts.sort()).toEqual([...asked()].sort());
  });
});
