/** What becomes of a handover follows from the descriptions alone, and is what sources say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RELEASED, WIRE_GENERATIONS } from '#src/abi/description/generations';
import { PAGE_SHIFTS } from '#src/abi/description/page-size';
import { outcomeOf } from '#src/abi/verdict/pairs';
import { worstOf } from '#src/abi/verdict/outcome';

/** Derived by people who read the sources of all kernels. */
const MATRIX = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/abi-matrix.json'), 'utf8'),
) as {
  versions: string[];
  outcome: Readonly<Record<string, string[]>>;
  strings: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
};

const LETTERS = { same: '=', refused: 'R', misread: 'C', panic: 'P', ignored: 'L' } as const;

describe('every pair of releases', () => {
  it.each(PAGE_SHIFTS)('ends as the reference says, with pages of 2^%i bytes', (shift) => {
    expect(RELEASED.map(({ id }) => id)).toEqual(MATRIX.versions);
    for (const writer of RELEASED) {
      const row = RELEASED.map((reader) => LETTERS[outcomeOf(writer, reader, shift).outcome]);
      expect([writer.id, row]).toEqual([writer.id, MATRIX.outcome[writer.id]]);
    }
  });

  it('has a reason unless it is the same', () => {
    for (const writer of WIRE_GENERATIONS) {
      for (const reader of WIRE_GENERATIONS) {
        const { outcome, reasons } = outcomeOf(writer, reader, 12);
        expect(reasons.length > 0).toBe(outcome !== 'same');
        if (writer === reader) expect(outcome).toBe('same');
      }
    }
  });

  it('loses all where the tree has another form, and is refused where that is seen', () => {
    const row = (id: string): string[] => {
      const writer = WIRE_GENERATIONS.find((each) => each.id === id)!;
      return WIRE_GENERATIONS.map((reader) => LETTERS[outcomeOf(writer, reader, 12).outcome]);
    };
    // Before the merge and up to 7.0 one string stands for everything.
    expect(row('v3').join('')).toBe('=PCCCCRRRRR');
    expect(row('v5').join('')).toBe('CC=CCCRRRRR');
    expect(row('6.17').join('')).toBe('CCC==CCCRRR');
  });
});

it('a panic that follows from a misread is a misread', () => {
  const [misread, panic, ignored] = (['misread', 'panic', 'ignored'] as const).map((outcome) => ({
    outcome,
    reason: '',
  }));
  expect(worstOf([])).toBe('same');
  expect(worstOf([panic!, misread!])).toBe('misread');
  expect(worstOf([ignored!, panic!])).toBe('panic');
});

describe('strings', () => {
  const SUBTREES: Readonly<Record<string, string>> = {
    memblock: 'memblock',
    'kho-test': 'kho_test',
    luo: 'LUO',
    'kexec-metadata': 'kexec-metadata',
  };

  it.each(RELEASED.map((each) => [each.id, each] as const))(
    'of %s are those of its headers',
    (id, row) => {
      const strings = MATRIX.strings[id]!;
      expect(row.compatible).toBe(strings['kho']);
      const said = new Map(
        row.blobs.map(({ name, content }) => [
          name,
          content.form === 'tree' ? content.root.compatible : content.fields[0]!.is,
        ]),
      );
      for (const [key, name] of Object.entries(SUBTREES)) {
        expect([name, said.get(name)]).toEqual([name, strings[key]]);
      }
    },
  );
});
