/**
 * What src/kho writes is, byte for byte, what real 7.3.4 kernels wrote; and it takes their
 * handovers over.
 */
import { describe, expect, it } from 'vitest';
import { CallAnswer, RangeList, call } from '#model/call';
import {
  decodeKey,
  encodeKey,
  powerOfTwo,
  radixGeometry,
  tableSlot,
} from '#src/abi/description/radix-key';
import { SCRATCH_ENTRY_BYTES } from '#src/abi/description/scratch-array';
import { FdtReader } from 'fdt-ts';
import { INTENDED } from '#src/kho/decisions';
import { addSubtree, createTree, removeSubtree, retrieveSubtree } from '#src/kho/handover-tree';
import { Kernel } from '#src/kho/kernel';
import { readKexecCount, writeMetadata } from '#src/kho/metadata';
import { PhysicalMemory, readU64 } from '#src/kho/physical-memory';
import { RadixTracker, walkTracker } from '#src/kho/radix-tracker';
import type { PageSource } from '#src/kho/radix-tracker';
import { readScratchArray, writeScratchArray } from '#src/kho/scratch';
import { Topology } from '#src/kho/topology';
import { CAPTURES } from '../abi/captures.ts';
import type { Capture } from '../abi/captures.ts';
import { archiveOf, areasOf, machineOf, memoryOf } from './captured.ts';

const COMPATIBLE = 'kho-v4';
const RELEASE = /7\.3\.4[!-~]*/;

/** Names of the subtrees in the order in which they were added: the oldest stands last. */
const namesInOrder = (page: Uint8Array): string[] => {
  const tree = new FdtReader(page);
  const names: string[] = [];
  let node = tree.firstSubnode(0);
  while (node !== undefined) {
    names.unshift(tree.name(node));
    node = tree.nextSubnode(node);
  }
  return names;
};

const totalSize = (page: Uint8Array): number => new DataView(page.buffer).getUint32(4);

/** The tree that a history of one kernel's own additions makes. */
const writeTree = ({ expected }: Capture, pageBytes: number, names: readonly string[]) => {
  const page = new Uint8Array(pageBytes);
  createTree(page, COMPATIBLE, expected.map);
  for (const name of names) {
    const [phys, bytes] = expected.subs[name]!;
    expect(addSubtree(page, name, phys, bytes, INTENDED)).toBe(0);
  }
  return page;
};

/** Frames from the root to the leaf of a key, as the captured tree has them; root excluded. */
const pathOf = (memory: PhysicalMemory, root: number, key: number): number[] => {
  const geometry = radixGeometry(memory.pageShift);
  const path: number[] = [];
  let frame = root;
  for (let level = geometry.depth - 1; level > 0; level--) {
    const next = readU64(memory.page(frame)!, tableSlot(geometry, key, level) * 8);
    frame = next / 2 ** memory.pageShift;
    path.push(frame);
  }
  return path;
};

/** First key of every leaf in the captured tree. */
const leafKeys = (memory: PhysicalMemory, root: number): number[] => {
  const { depth, leafBits, tableBits } = radixGeometry(memory.pageShift);
  const visit = (frame: number, level: number, prefix: number): number[] => {
    if (level === 0) return [prefix * powerOfTwo(leafBits)];
    const page = memory.page(frame)!;
    return Array.from({ length: 2 ** tableBits }, (_, slot) => slot).flatMap((slot) => {
      const next = readU64(page, slot * 8);
      const child = next / 2 ** memory.pageShift;
      return next === 0 ? [] : visit(child, level - 1, prefix * 2 ** tableBits + slot);
    });
  };
  return visit(root, depth - 1, 0);
};

/** Hands out the frames that the captured kernel used, path by path. */
class Replay implements PageSource {
  readonly queue: number[] = [];

  takePage(): number {
    return this.queue.shift() ?? -1;
  }

  givePage(): void {
    throw new Error('nothing is given back when there are pages enough');
  }
}

describe.each(CAPTURES)('$name', (capture) => {
  const { expected } = capture;
  const archive = archiveOf(capture);
  const pageBytes = 2 ** archive.pageShift;
  const geometry = radixGeometry(archive.pageShift);
  const root = expected.map / pageBytes;
  const captured = capture.file('final_fdt.bin');
  const names = namesInOrder(captured);

  it('has a handover tree that the writer writes byte for byte', () => {
    const page = writeTree(capture, pageBytes, names);
    const size = totalSize(captured);
    expect([...page.subarray(0, size)]).toEqual([...captured.subarray(0, size)]);
    expect([...names].sort()).toEqual(Object.keys(expected.subs).sort());
  });

  it('has nothing behind its tree but what the writer leaves there too', () => {
    const page = writeTree(capture, pageBytes, names);
    expect(Buffer.compare(page, archive.page(expected.fdt_phys / pageBytes)!)).toBe(0);
  });

  it('has a tree that adding and removing one more blob leaves as it was', () => {
    const page = writeTree(capture, pageBytes, names);
    expect(addSubtree(page, 'one-more', 0x7000, 5, INTENDED)).toBe(0);
    expect(retrieveSubtree(page, 'one-more')).toEqual({ phys: 0x7000, bytes: 5 });
    removeSubtree(page, 0x7000);
    const size = totalSize(captured);
    expect([...page.subarray(0, size)]).toEqual([...captured.subarray(0, size)]);
  });

  it('has a tracker whose every page comes out the same when its blocks are added again', () => {
    const source = memoryOf(archive);
    const memory = new PhysicalMemory(archive.pageShift);
    memory.zeroPage(root);
    const tracker = new RadixTracker(memory, root);
    const replay = new Replay();
    const add = (pfn: number, order: number): void => {
      const path = pathOf(source, root, encodeKey(geometry, pfn, order));
      replay.queue.push(...path.filter((frame) => memory.page(frame) === undefined));
      expect(tracker.add(pfn, order, replay)).toBe(true);
      expect(replay.queue).toEqual([]);
    };
    for (const [phys, order] of expected.ranges) add(phys / pageBytes, order);
    for (const key of leafKeys(source, root)) {
      if (pathOf(source, root, key).every((frame) => memory.page(frame) !== undefined)) continue;
      const { pfn, order } = decodeKey(geometry, key)!;
      add(pfn, order);
      tracker.remove(pfn, order);
    }
    for (const [phys, level] of expected.nodes) {
      const frame = phys / pageBytes;
      const same = Buffer.compare(memory.page(frame)!, archive.page(frame)!) === 0;
      expect({ phys, level, same }).toEqual({ phys, level, same: true });
    }
  });

  it('has a tracker that is walked largest order first, ascending within an order', () => {
    const visited: [number, number][] = [];
    walkTracker(memoryOf(archive), root, (pfn, order) => visited.push([pfn * pageBytes, order]));
    expect(visited).toEqual(
      [...expected.ranges].sort(([a, m], [b, n]) => (m === n ? a - b : n - m)),
    );
  });

  it('has a scratch array that is written and read back byte for byte', () => {
    const areas = areasOf(capture, pageBytes);
    const bytes = areas.length * SCRATCH_ENTRY_BYTES;
    const frame = Math.floor(expected.scratch_array_phys / pageBytes);
    const real = archive.page(frame)!;
    const page = new Uint8Array(pageBytes);
    writeScratchArray(page, areas, pageBytes);
    expect(expected.scratch_array_phys % pageBytes).toBe(0);
    expect([...page.subarray(0, bytes)]).toEqual([...real.subarray(0, bytes)]);
    expect(readScratchArray(real, bytes, pageBytes)).toEqual(areas);
  });

  it('has a metadata blob that is written byte for byte', () => {
    const real = capture.file('final_sub_kexec-metadata.bin');
    const page = new Uint8Array(pageBytes);
    const release = RELEASE.exec(Buffer.from(real).toString('latin1'))![0];
    const generation = Number(capture.name.at(-1));
    writeMetadata(page, release, generation + 1);
    expect([...page.subarray(0, real.length)]).toEqual([...real]);
    expect(page.subarray(real.length).every((byte) => byte === 0)).toBe(true);
    const blob = archive.page(expected.subs['kexec-metadata']![0] / pageBytes)!;
    expect(readKexecCount(blob)).toBe(generation + 1);
  });

  it('boots the next kernel, which holds what was preserved and finds every blob', () => {
    const machine = machineOf(capture, archive.pageShift);
    const memory = memoryOf(archive);
    const platform = {
      machine,
      topology: new Topology(machine),
      memory,
      decisions: INTENDED,
      compatible: COMPATIBLE,
      release: '7.3.4',
    };
    const areas = areasOf(capture, pageBytes);
    const image = new RangeList();
    image.add(expected.scratch_array_phys / pageBytes, 1);
    const answer = new CallAnswer();
    const kernel = Kernel.boot(
      platform,
      {
        image,
        fdt: expected.fdt_phys,
        scratchArray: expected.scratch_array_phys,
        scratchBytes: areas.length * SCRATCH_ENTRY_BYTES,
      },
      answer,
      names,
    );
    expect(answer.value).toBe(1);
    const { held, areas: taken, incomingTree } = kernel.booted;
    const blocks = Array.from({ length: held.count }, (_, i) => [
      held.first(i) * pageBytes,
      held.order(i),
    ]);
    expect(blocks).toEqual(expected.ranges);
    expect(taken).toEqual(areas);
    for (let i = image.length; i < answer.early.length; i++) {
      const first = answer.early.first(i);
      const end = first + answer.early.count(i);
      expect(areas.some((area) => first >= area.first && end <= area.first + area.count)).toBe(
        true,
      );
    }
    for (let i = 0; i < answer.taken.length; i++) {
      expect(held.holds(answer.taken.first(i))).toBe(false);
    }
    expect(incomingTree).toBe(expected.fdt_phys / pageBytes);
    names.forEach((_, name) => {
      const phys = kernel.retrieveSubtree(call('retrieveSubtree', { name })) * pageBytes;
      expect([phys, answer.bytes]).toEqual(expected.subs[names[name]!]);
    });
    for (let i = 0; i < held.count; i++) {
      const pfn = held.first(i);
      expect([pfn, kernel.restoreFolio(call('restoreFolio', { pfn }))]).toEqual([
        pfn,
        held.order(i),
      ]);
      expect(kernel.restoreFolio(call('restoreFolio', { pfn }))).toBe(-2);
    }
    expect(Buffer.compare(memory.page(expected.fdt_phys / pageBytes)!, captured)).toBe(0);
  });
});
