/** `abi damage`: what kernels make of wrong bytes; what goes wrong in silence is a finding. */
import { describe, expect, it } from 'vitest';
import { NEWEST_KERNEL, kernelByName } from '#model/kernels';
import type { Field } from '#src/abi/decode/fields';
import { DAMAGE_FINDINGS, findingOf } from '#src/checker/damage-findings';
import { flipAll, handForeign } from '#src/cli/abi-damage';
import type { DamageCell } from '#src/cli/abi-damage';
import { colors } from '#src/report/colors';
import { damageText } from '#src/report/damage';
import type { DamageReport } from '#src/report/damage';
import { call, complaintOf, untidyLines } from './call.ts';

interface Document {
  readonly kernels: readonly string[];
  readonly cells: readonly DamageCell[];
  readonly findings: readonly { readonly id: string; readonly sources: readonly string[] }[];
}

const unexplained = (cells: readonly DamageCell[]): string[] =>
  cells.flatMap((cell) => cell.unexplained.map((what) => `${cell.part} ${cell.field}: ${what}`));

const cellOf = (cells: readonly DamageCell[], part: string, field: string): DamageCell =>
  cells.find((cell) => cell.part === part && cell.field === field)!;

describe('abi damage', () => {
  it('--json says of every field what came of it, and names what was silent', async () => {
    const few = ['--kernel', '7.3', '--every', '4096'];
    const { status, out } = await call('abi', 'damage', ...few, '--json');
    expect(status).toBe(0);
    const { kernels, cells, findings } = JSON.parse(out) as Document;
    expect(kernels).toEqual(['7.3']);
    expect(unexplained(cells)).toEqual([]);
    const outcomes = (part: string, field: string): string[] =>
      Object.keys(cellOf(cells, part, field).seen);
    expect(outcomes('root', 'compatible')).toEqual(['refused']);
    expect(outcomes('root', 'preserved-memory-map')).toEqual(['panic']);
    expect(cellOf(cells, 'root', 'blob-size').findings).toEqual(['DMG-02']);
    expect(outcomes('memblock', 'compatible')).toEqual(['ignored']);
    expect(outcomes('root', 'rest of the page')).toEqual(['same']);
    expect(outcomes('another generation', 'of 6.18')).toEqual(['panic']);
    const named = [...new Set(cells.flatMap((cell) => cell.findings))].sort();
    expect(findings.map(({ id }) => id)).toEqual(named);
    expect(findings.every(({ sources }) => sources.length > 0)).toBe(true);
    const text = damageText(JSON.parse(out) as DamageReport, colors(false));
    expect(untidyLines(`${text}\n`)).toEqual([]);
    expect(text).toMatch(/^ {24}same {4}refused ignored panic {3}silent\nroot\n/);
    expect(text).toMatch(/\nholds: no corruption went unnoticed but for the findings/);
    const bad = cells.map((cell) => ({ ...cell, unexplained: ['loses at 0 by 1'] }));
    const broken = { ...(JSON.parse(out) as DamageReport), cells: bad };
    expect(damageText(broken, colors(false))).toMatch(/SILENT\n[^]*went unnoticed that no finding/);
  });

  it('knows released series alone', async () => {
    const called = await call('abi', 'damage', '--kernel', '5.15');
    expect(complaintOf(called)).toMatch(/--kernel takes released series, not '5\.15'/);
  });
});

describe('a tree of another generation', () => {
  it('under the string of an older one is believed by it, which has a name', () => {
    const cells = handForeign(NEWEST_KERNEL, [kernelByName('6.18')!, kernelByName('7.1')!]);
    expect(cells.map(({ findings, seen }) => [findings, seen])).toEqual([
      [['DMG-09'], { silent: 1 }],
      [[], { panic: 1 }],
    ]);
  });
});

describe('findings', () => {
  it('explain their own fields and effects, and no others', () => {
    const silent = { outcome: 'silent', effects: ['loses'] } as const;
    expect(findingOf('tracker', 'bits', silent, '7.3')?.id).toBe('DMG-04');
    expect(findingOf('root', 'structure', silent, '6.18')?.id).toBe('DMG-07');
    expect(findingOf('root', 'structure', silent, '6.19')?.id).toBe('DMG-08');
    expect(findingOf('root', 'compatible', silent, '7.3')).toBeUndefined();
    expect(findingOf('root', 'blob-size', silent, '7.3')).toBeUndefined();
    const moved = { ...silent, effects: ['scratch'] } as const;
    expect(findingOf('scratch array', 'size', moved, '7.3')?.id).toBe('DMG-05');
    expect(findingOf('tracker', 'bits', moved, '7.3')).toBeUndefined();
  });

  it('have names of their own, and say where the code is', () => {
    const ids = DAMAGE_FINDINGS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { says, why, sources } of DAMAGE_FINDINGS) {
      expect([says.endsWith('.'), why.endsWith('.'), sources.length > 0]).toEqual([
        true,
        true,
        true,
      ]);
    }
  });

  it('are asked for by field: every byte of the string is refused', () => {
    const takes = ({ part, name }: Field): boolean => part === 'root' && name === 'compatible';
    const cells = flipAll(NEWEST_KERNEL, 1, takes);
    expect(cellOf(cells, 'root', 'compatible').seen).toEqual({ refused: 21 });
    expect(Object.keys(cellOf(cells, 'root', 'cut short, zeros').seen)).toEqual(['refused']);
  });
});
