/** A tracker damaged in any way: the next kernel boots or panics, it never throws or hangs. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { call } from '#model/call';
import { SUBTREE_NAMES, buildMachine, plainShape } from '#model/machines';
import { radixGeometry } from '#src/abi/description/radix-key';
import { KhoMachine, PANIC } from '#src/kho/kho-machine';
import { PhysicalMemory, readU64, writeU64 } from '#src/kho/physical-memory';
import { walkTracker } from '#src/kho/radix-tracker';

const PAGE = 4096;
/** What `sees.use` shows of an unmovable page. */
const UNMOVABLE = 2;
const MACHINE = buildMachine(plainShape(32));
const { depth } = radixGeometry(12);

/** A machine about to jump, and its tracker's pages by level, root last. */
class Bench {
  readonly machine = new KhoMachine(
    MACHINE,
    { compatible: 'kho-v4', release: '7.3.4' },
    SUBTREE_NAMES,
  );
  readonly levels: number[][] = Array.from({ length: depth }, () => []);
  readonly folio: number;

  constructor() {
    this.machine.call(call('coldBoot'));
    this.folio = this.allocate(3);
    expect(this.machine.call(call('preserveFolio', { pfn: this.folio, order: 3 })).value).toBe(0);
    expect(this.machine.call(call('kexecFileLoad')).value).toBe(0);
    const tree = this.machine.sees.fdt() / PAGE;
    this.collect(mapOf(this.page(tree)) / PAGE, depth - 1);
  }

  allocate(order: number): number {
    return this.machine.call(call('allocPages', { node: -1, order, value: 0 })).value;
  }

  page(pfn: number): Uint8Array {
    return this.machine.sees.memory.page(pfn)!;
  }

  collect(pfn: number, level: number): void {
    this.levels[level]!.push(pfn);
    if (level === 0) return;
    for (const at of slotsInUse(this.page(pfn))) {
      this.collect(readU64(this.page(pfn), at) / PAGE, level - 1);
    }
  }

  /** Jumps, and uses whatever came up; answers what the jump answered. */
  jump(): number {
    const { value } = this.machine.call(call('kexec'));
    expect([0, 1, PANIC]).toContain(value);
    for (let pfn = 0; pfn < MACHINE.end; pfn += 97) this.machine.sees.use(pfn);
    expect(this.machine.sees.freeFrames()).toBeGreaterThanOrEqual(0);
    for (const action of ['restoreFolio', 'restorePages', 'retrieveSubtree'] as const) {
      this.machine.call(call(action, { pfn: this.folio, count: 8 }));
    }
    const pfn = this.allocate(0);
    if (pfn >= 0) this.machine.call(call('preserveFolio', { pfn }));
    this.machine.call(call('kexecFileLoad'));
    if (value === PANIC) expect(pfn).toBe(-22);
    return value;
  }
}

/** Where the tracker's address stands: behind the compatible string and a property header. */
const mapAt = (tree: Uint8Array): number => Buffer.from(tree).indexOf('kho-v4') + 8 + 12;

const mapOf = (tree: Uint8Array): number => readU64(tree, mapAt(tree));

/** Frames of the blocks that the running kernel preserves. */
const preservedBy = ({ sees }: KhoMachine): number[] => {
  const frames: number[] = [];
  const memory = new PhysicalMemory(12);
  for (let pfn = 0; pfn < MACHINE.end; pfn++) {
    const page = sees.memory.page(pfn);
    if (page !== undefined) memory.zeroPage(pfn).set(page);
  }
  walkTracker(memory, mapOf(memory.page(sees.fdt() / PAGE)!) / PAGE, (pfn) => frames.push(pfn));
  return frames;
};

const slotsInUse = (page: Uint8Array): number[] =>
  Array.from({ length: PAGE / 8 }, (_, i) => i * 8).filter((at) => readU64(page, at) !== 0);

/** A new machine after `damage`, jumped. */
const after = (damage: (bench: Bench) => void): number => {
  const bench = new Bench();
  damage(bench);
  return bench.jump();
};

/** Overwrites the first pointer of the first table at a level. */
const repoint =
  (level: number, target: (bench: Bench, own: number) => number) => (bench: Bench) => {
    const own = bench.levels[level]![0]!;
    const page = bench.page(own);
    writeU64(page, slotsInUse(page)[0]!, target(bench, own));
  };

const TABLES = Array.from({ length: depth - 1 }, (_, i) => depth - 1 - i);

describe('the next kernel', () => {
  it('takes a whole tracker over, block and all', () => {
    const bench = new Bench();
    expect(bench.levels.map((pages) => pages.length > 0)).toEqual(bench.levels.map(() => true));
    expect(bench.machine.call(call('kexec')).value).toBe(1);
    expect(bench.machine.call(call('restoreFolio', { pfn: bench.folio })).value).toBe(3);
  });

  it.each(TABLES)('panics at a pointer of level %i that leads nowhere', (level) => {
    const targets: ((bench: Bench, own: number) => number)[] = [
      () => 0x1ffe000,
      () => 2 ** 32,
      () => 2 ** 52 + PAGE,
      (_, own) => own * PAGE + 1,
      (_, own) => own * PAGE + 8,
      (bench) => bench.levels[0]![0]! * PAGE + 2048,
      () => 8,
      () => 4095,
    ];
    for (const target of targets) expect(after(repoint(level, target))).toBe(PANIC);
  });

  it.each(TABLES)('panics at a page that is reached twice, from level %i', (level) => {
    for (const above of TABLES.filter((other) => other >= level)) {
      const target = (bench: Bench): number => bench.levels[above]![0]! * PAGE;
      expect(after(repoint(level, target))).toBe(PANIC);
    }
  });

  it.each(TABLES)('panics at once when every slot of level %i leads back', (level) => {
    const damage = (bench: Bench): void => {
      const own = bench.levels[level]![0]!;
      for (let at = 0; at < PAGE; at += 8) writeU64(bench.page(own), at, own * PAGE);
    };
    expect(after(damage)).toBe(PANIC);
  });

  it.each(TABLES)('panics at values of level %i that are no addresses at all', (level) => {
    for (const byte of [0xff, 0x7f, 0x80, 0x01]) {
      const damage = (bench: Bench): void => void bench.page(bench.levels[level]![0]!).fill(byte);
      expect(after(damage)).toBe(PANIC);
    }
  });

  it('panics at a bit that is no key, and at a block that is not in memory', () => {
    const zeroKey = (bench: Bench): void => {
      for (const level of TABLES) {
        const page = bench.page(bench.levels[level]![0]!).fill(0);
        writeU64(page, 0, bench.levels[level - 1]![0]! * PAGE);
      }
      bench.page(bench.levels[0]![0]!).fill(0)[0] = 1;
    };
    expect(after(zeroKey)).toBe(PANIC);
    const wideKey = (bench: Bench): void => {
      const root = bench.page(bench.levels[depth - 1]![0]!);
      const first = slotsInUse(root)[0]!;
      const child = readU64(root, first);
      writeU64(root, first, 0);
      writeU64(root, PAGE - 8, child);
    };
    expect(after(wideKey)).toBe(PANIC);
    const outside = (bench: Bench): void => void bench.page(bench.levels[0]![0]!).fill(0xff);
    expect(after(outside)).toBe(PANIC);
  });

  it('panics when everything there is was handed over and no page is left to boot with', () => {
    const bench = new Bench();
    const { end } = MACHINE;
    const { memory, scratchArray, scratchBytes } = bench.machine.sees;
    const array = memory.page(scratchArray() / PAGE)!;
    const scratch = Array.from({ length: scratchBytes() / 16 }, (_, i) => ({
      first: readU64(array, 16 * i) / PAGE,
      count: readU64(array, 16 * i + 8) / PAGE,
    }));
    const inScratch = (pfn: number): boolean =>
      scratch.some(({ first, count }) => pfn >= first && pfn < first + count);
    for (let pfn = 0; pfn < end; pfn++) {
      if (!inScratch(pfn)) bench.machine.call(call('preserveFolio', { pfn }));
    }
    expect(bench.jump()).toBe(PANIC);
  });

  it('is refused a tracker whose address in the tree is damaged, or panics', () => {
    for (const address of [PAGE + 1, 8, 2 ** 32, 2 ** 52, 2 ** 53 - 1, 0x1ffe000]) {
      const damage = (bench: Bench): void => {
        const tree = bench.page(bench.machine.sees.fdt() / PAGE);
        writeU64(tree, mapAt(tree), address);
      };
      expect(after(damage)).toBe(PANIC);
    }
    const zero = (bench: Bench): void => {
      const tree = bench.page(bench.machine.sees.fdt() / PAGE);
      writeU64(tree, mapAt(tree), 0);
    };
    expect(after(zero)).toBe(0);
  });

  it('answers or panics whatever bytes of tracker and tree change', () => {
    const change = fc.record({
      level: fc.integer({ min: -1, max: depth - 1 }),
      index: fc.nat({ max: 7 }),
      at: fc.oneof(fc.nat({ max: 511 }), fc.nat({ max: 4095 })),
      byte: fc.nat({ max: 255 }),
    });
    let panics = 0;
    let boots = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const value = after((bench) => {
          for (const { level, index, at, byte } of changes) {
            const pages = level < 0 ? [bench.machine.sees.fdt() / PAGE] : bench.levels[level]!;
            const page = bench.page(pages[index % pages.length]!);
            const used = slotsInUse(page);
            const slot = used[at % used.length]!;
            page[byte % 2 === 0 && used.length > 0 ? slot + (at % 8) : at] = byte;
          }
        });
        if (value === PANIC) panics++;
        else boots++;
      }),
      { numRuns: 300 },
    );
    expect(panics).toBeGreaterThan(20);
    expect(boots).toBeGreaterThan(20);
  });
});

describe('a machine with hardly any memory', () => {
  it('boots with or without KHO or panics, and uses no frame that it does not have', () => {
    const seen: string[] = [];
    for (let frames = 24; frames < 100; frames++) {
      const shape = {
        pageShift: 12,
        nodes: [frames],
        scratch: { lowmem: 8, global: 8, perNode: 8 },
      };
      const machine = new KhoMachine(
        { ...buildMachine(shape), maxOrder: 3, scratchAlign: 8 },
        { compatible: 'kho-v4', release: '7.3.4' },
        SUBTREE_NAMES,
      );
      const { value, taken, early } = machine.call(call('coldBoot'));
      const fdt = machine.sees.fdt();
      seen.push(value === PANIC ? 'panic' : fdt === 0 ? 'without KHO' : 'with KHO');
      for (const ranges of [taken, early]) {
        for (let i = 0; i < ranges.length; i++) {
          expect(ranges.first(i)).toBeGreaterThanOrEqual(0);
          expect(ranges.first(i) + ranges.count(i)).toBeLessThanOrEqual(frames);
        }
      }
      expect(machine.sees.memory.page(-1)).toBe(undefined);
      if (fdt !== 0) expect(preservedBy(machine)).toContain(fdt / PAGE);
      expect(machine.sees.use(0)).not.toBe(UNMOVABLE);
      if (fdt !== 0) expect(preservedBy(machine).length).toBe(2);
    }
    expect(new Set(seen)).toEqual(new Set(['without KHO', 'panic', 'with KHO']));
    // The image has 8 frames, early memory 6, scratch 24: nothing is left for the scratch array.
    expect(seen[38 - 24]).toBe('without KHO');
    expect(seen.at(-1)).toBe('with KHO');
  });
});
