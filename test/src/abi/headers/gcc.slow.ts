/**
 * Random structures, laid out by the header reader and by gcc, on two machines.
 *
 * gcc writes BTF; it is read by the reader of kernel images, so that this is tried, too.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Random } from '#model/random';
import { readBtf } from '#src/abi/headers/btf';
import { compareBtf } from '#src/abi/headers/btf-compare';
import { abiOn } from '#src/abi/headers/description';
import { readAbi } from '#src/abi/headers/read';

const STRUCTS = 400;

const PRELUDE = `typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32;
typedef unsigned long long u64; typedef signed int s32;
#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
`;

const SCALARS = ['u8', 'u16', 'u32', 'u64', 's32', 'char', 'unsigned long', 'short', 'void *'];
const BIT_FIELDS = ['u8', 'u16', 'u32', 'u64'];

const pick = <T>(random: Random, all: readonly T[]): T => all[random.below(all.length)]!;

/** Names are never used twice: members of hidden records count among those around them. */
let named = 0;

/** Members, one a line; `known` are structures that were declared before. */
const members = (random: Random, known: readonly string[], depth: number): string =>
  Array.from({ length: random.between(1, 6) }, (_, at) => {
    const name = `m${named++}`;
    const align = random.below(8) === 0 ? ` __aligned(${pick(random, [2, 4, 8, 16])})` : '';
    switch (random.below(10)) {
      case 0:
      case 1: {
        const type = pick(random, BIT_FIELDS);
        const most = { u8: 8, u16: 16, u32: 32, u64: 64 }[type]!;
        // gcc 12 says offset 0 of what follows a bit field without a name at the very beginning.
        return at > 0 && random.below(6) === 0
          ? `${type} :${random.below(2) === 0 ? 0 : random.between(1, most)};`
          : `${type} ${name}:${random.between(1, most)};`;
      }
      case 2:
        return `${pick(random, SCALARS)} ${name}[${random.between(1, 5)}]${align};`;
      case 3:
        if (depth > 1) return `u16 ${name}${align};`;
        return `${pick(random, ['struct', 'union'])} {\n${members(random, known, depth + 1)}\n} ${
          random.below(2) === 0 ? '' : name
        };`;
      case 4:
        if (known.length > 0) return `${pick(random, known)} ${name};`;
        return `u8 ${name};`;
      default:
        return `${pick(random, SCALARS)} ${name}${align};`;
    }
  }).join('\n');

const source = (seed: number): { readonly text: string; readonly names: readonly string[] } => {
  const random = new Random(seed);
  const names: string[] = [];
  const parts: string[] = [];
  for (let at = 0; at < STRUCTS; at++) {
    const name = `struct kho_random${at}`;
    const packed = random.below(3) === 0 ? ' __packed' : '';
    parts.push(`${name} {\n${members(random, names.slice(-3), 0)}\n}${packed};`);
    names.push(name);
  }
  return { text: parts.join('\n'), names };
};

const directory = mkdtempSync(join(tmpdir(), 'kho-check-gcc-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const compiled = (text: string, names: readonly string[], machine: string) => {
  const pointers = names.map((name) => `${name} *p_${name.slice(7)};\n`).join('');
  const [from, to] = [join(directory, 'a.c'), join(directory, 'a.o')];
  writeFileSync(from, `${PRELUDE}${text}\n${pointers}`);
  const { status, stderr } = spawnSync('gcc', [machine, '-gbtf', '-c', '-w', from, '-o', to], {
    encoding: 'utf8',
  });
  return status === 0 ? readFileSync(to) : stderr;
};

describe('random structures', () => {
  it.each([
    ['-m64', 'x86_64-4k', 1],
    ['-m64', 'x86_64-4k', 2],
    ['-m32', 'i386-phys32', 3],
    ['-m32', 'i386-phys32', 4],
  ])('gcc %s lays out as we do for %s (seed %i)', (machine, target, seed, context?: unknown) => {
    const { text, names } = source(seed);
    const object = compiled(text, names, machine);
    if (typeof object === 'string') {
      expect(object).not.toMatch(/error: (?!.*(?:32-bit|not compiled))/);
      (context as { skip?: (why: string) => void } | undefined)?.skip?.('gcc has no such machine');
      return;
    }
    const abi = readAbi([{ path: 'random.h', text }], { allHeaders: true });
    expect(abi.problems).toEqual([]);
    expect(Object.keys(abiOn(abi, target)!.layouts).length).toBe(STRUCTS);
    const found = compareBtf(abi, readBtf(object));
    expect(found.mismatches).toEqual([]);
    expect(found.compared).toBe(STRUCTS);
  });
});
