/** Trees from before the merge: one tree of the users' nodes, ranges in them, any length. */
import { FdtWriter } from 'fdt-ts';
import { describe, expect, it } from 'vitest';
import type { Frames } from '#src/abi/decode/frames';
import { decodeHandover } from '#src/abi/decode/handover';
import { readRootTree } from '#src/abi/decode/subtrees';
import { generationById, generationsOf } from '#src/abi/description/generations';
import { putU64 } from './captures.ts';

const u64s = (...values: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(8 * values.length);
  values.forEach((value, i) => putU64(bytes, 8 * i, value));
  return bytes;
};

type Node = Readonly<Record<string, Uint8Array | string>>;

/** A tree with `root` properties and nodes below; a name with a slash is two levels deep. */
const tree = (room: number, nodes: Readonly<Record<string, Node>>): Uint8Array => {
  const bytes = new Uint8Array(room);
  const writer = FdtWriter.create(bytes);
  writer.finishReservemap();
  writer.beginNode('');
  writer.propertyString('compatible', 'kho-v1');
  for (const [name, properties] of Object.entries(nodes)) {
    const path = name.split('/');
    for (const part of path) writer.beginNode(part);
    for (const [property, value] of Object.entries(properties)) {
      if (typeof value === 'string') writer.propertyString(property, value);
      else writer.property(property, value);
    }
    for (const _ of path) writer.endNode();
  }
  writer.endNode();
  writer.finish();
  return bytes;
};

/** Memory of 4 KiB pages that holds these bytes at these addresses. */
const memory = (content: Readonly<Record<number, Uint8Array>>): Frames => {
  const pages = new Map<number, Uint8Array>();
  for (const [phys, bytes] of Object.entries(content)) {
    for (let at = 0; at < bytes.length; at += 4096) {
      const page = new Uint8Array(4096);
      page.set(bytes.subarray(at, at + 4096));
      pages.set((Number(phys) + at) / 4096, page);
    }
  }
  return { pageShift: 12, page: (pfn) => pages.get(pfn) };
};

describe('ranges in the nodes of users', () => {
  const decode = (nodes: Readonly<Record<string, Node>>, room = 4096) =>
    decodeHandover(memory({ 0x100000: tree(room, nodes) }), { fdt: 0x100000 });

  it('are preserved as the largest blocks they are made of, once', () => {
    const mem = u64s(0x200000, 0x5000, 0x400000, 0x1000);
    const handover = decode({ ftrace: { mem }, 'ftrace/cpu0': { mem: u64s(0x400000, 0x1000) } });
    expect(handover.damage).toEqual([]);
    expect(handover.writers.map(({ id }) => id)).toEqual(['v3', 'v4']);
    expect(handover.preserved).toEqual([
      { phys: 0x200000, order: 2 },
      { phys: 0x204000, order: 0 },
      { phys: 0x400000, order: 0 },
    ]);
    const ftrace = { name: 'ftrace', phys: 0x200000, bytes: 0x5000 };
    expect([handover.tracker, handover.subtrees]).toEqual([undefined, [ftrace]]);
  });

  it('keep every page that they touch', () => {
    const { preserved, damage } = decode({ a: { mem: u64s(0x1fff, 2, 0x5001, 0, 0x9000, 0) } });
    expect(damage).toEqual([]);
    expect(preserved).toEqual([
      { phys: 0x1000, order: 0 },
      { phys: 0x2000, order: 0 },
      { phys: 0x5000, order: 0 },
    ]);
  });

  it('may stand in a tree of many pages', () => {
    const nodes = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`n${i}`, { mem: u64s(i * 0x2000, 0x1000) }]),
    );
    const { preserved, damage } = decode(nodes, 65536);
    expect(damage).toEqual([]);
    expect(preserved).toHaveLength(500);
  });

  it('that are odd or nowhere are damage', () => {
    const damageOf = (mem: Uint8Array): string =>
      decode({ a: { mem } })
        .damage.map(({ where, what }) => `${where}: ${what}`)
        .join();
    expect(damageOf(u64s(0x1000, 0x1000).subarray(0, 15))).toBe(
      'fdt(/a#mem): has 15 bytes, no whole number of ranges',
    );
    expect(damageOf(u64s(2 ** 53, 0x1000))).toContain('which no machine has');
    expect(damageOf(new Uint8Array(16).fill(0xff))).toContain('which no machine has');
  });
});

describe('a tree of nodes with a list of chunks', () => {
  it('is that of v5', () => {
    const nodes = { 'preserved-memory': { metadata: u64s(0) }, guest: { compatible: 'guest-v1' } };
    const { writers, tracker, preserved, damage } = decodeHandover(
      memory({ 0x100000: tree(4096, nodes) }),
      { fdt: 0x100000 },
    );
    expect([writers.map(({ id }) => id), tracker, preserved]).toEqual([['v5'], 0, []]);
    expect(damage).toEqual([]);
  });
});

describe('a tree of kho-v1', () => {
  it('that shows nothing of any form is a damaged one of the newest', () => {
    const { writers, damage } = readRootTree(tree(4096, { LUO: { fdt: u64s(0x1000) } }));
    expect(writers.map(({ id }) => id)).toEqual(['6.16', '6.17', '6.18', '6.19', '7.0']);
    expect(damage).toEqual([{ where: 'fdt(/#preserved-memory-map)', what: 'is missing' }]);
  });

  it('is read as its writer wrote it, where somebody says who that was', () => {
    const bytes = tree(4096, { a: { fdt: u64s(0x1000) } });
    const told = readRootTree(bytes, generationById('v5'));
    expect(told.damage).toEqual([{ where: 'fdt(/preserved-memory)', what: 'is missing' }]);
    // A writer of another string cannot have written it.
    expect(readRootTree(bytes, generationById('7.3')).writers).toHaveLength(5);
  });

  it('stands for eight generations', () => {
    expect(generationsOf('kho-v1').map(({ id }) => id)).toEqual([
      'v3',
      'v4',
      'v5',
      '6.16',
      '6.17',
      '6.18',
      '6.19',
      '7.0',
    ]);
    expect(generationsOf('kho-v2').map(({ id }) => id)).toEqual(['kho-v2']);
    expect(generationsOf('kho-v5')).toEqual([]);
  });
});
