/** The law as a whole: every rule can be cited, is defended, and counts what the kernel counts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { call } from '#model/call';
import { buildMachine, plainShape } from '#model/machines';
import { sparseState } from '#model/sparse-carrier';
import { SUITES, suiteByName } from '#properties/suites';
import { eachBlock, everyBlock, firstOrder } from '#spec/blocks';
import { ACTIONS } from '#spec/call';
import { GENERATIONS, appliesTo } from '#spec/generations';
import { TRE_02, TRE_03 } from '#spec/handover-tree';
import { ACTION, CHAPTERS, RULES, ruleById, rulesOf } from '#spec/law';
import { nodeOf, onOneNode } from '#spec/machine';
import type { Machine } from '#spec/machine';
import { INTENDED } from '#src/kho/decisions';
import { addSubtree, createTree } from '#src/kho/handover-tree';

describe('every rule', () => {
  const ids = RULES.map((rule) => rule.id);

  it('has an id of its own, of three letters and two digits', () => {
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[A-Z]{3}-\d\d$/.test(id))).toEqual([]);
    for (const id of ids) expect(ruleById(id)?.id).toBe(id);
    expect(ruleById('NOPE-01')).toBeUndefined();
  });

  it('says one sentence, names a source and how strong it is', () => {
    for (const { id, says, sources, strength } of RULES) {
      expect(says, id).toMatch(/^[A-Z].{10,}[^.]\.$/);
      expect(sources.length, id).toBeGreaterThan(0);
      for (const source of sources) {
        for (const text of Object.values(source)) expect(text, id).not.toBe('');
      }
      expect(['promised', 'observed', 'assumed'], id).toContain(strength);
    }
  });

  it('is defended by a suite, and no suite defends what is no rule', () => {
    const defended = new Set(SUITES.flatMap((suite) => suite.rules));
    expect(ids.filter((id) => !defended.has(id))).toEqual([]);
    expect([...defended].filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('of a call is asked at calls that there are', () => {
    for (const rule of RULES) {
      if (rule.kind !== 'answer') continue;
      expect(rule.on.length, rule.id).toBeGreaterThan(0);
      expect(rule.on.filter((action) => !ACTIONS.includes(action))).toEqual([]);
    }
  });
});

it('suites have names of their own, and a promise each', () => {
  for (const suite of SUITES) {
    expect(suiteByName(suite.name)).toBe(suite);
    expect(suite.says).toMatch(/^[A-Z].*\.$/);
    expect(new Set(suite.rules).size).toBe(suite.rules.length);
  }
  expect(suiteByName('nosuch')).toBeUndefined();
});

it('every action has exactly one effect, in one chapter', () => {
  const names = CHAPTERS.flatMap((chapter) => chapter.actions.map((action) => action.name));
  expect([...names].sort()).toEqual([...ACTIONS].sort());
  for (const name of ACTIONS) expect(ACTION[name].name).toBe(name);
});

describe('a rule applies', () => {
  it('from its first generation to its last, both included', () => {
    for (const [at, generation] of GENERATIONS.entries()) {
      expect(appliesTo(generation, undefined, undefined)).toBe(true);
      for (const [since, first] of GENERATIONS.entries()) {
        expect(appliesTo(generation, first, undefined)).toBe(at >= since);
        expect(appliesTo(generation, undefined, first)).toBe(at <= since);
        expect(appliesTo(generation, first, first)).toBe(at === since);
      }
    }
  });

  it('to generations that there are', () => {
    for (const { id, since, until } of RULES) {
      if (since !== undefined) expect(GENERATIONS, id).toContain(since);
      if (until !== undefined) expect(GENERATIONS, id).toContain(until);
      const applies = GENERATIONS.filter((generation) =>
        rulesOf(generation).some((rule) => rule.id === id),
      );
      expect(applies.length, id).toBeGreaterThan(0);
    }
  });
});

/** Machines of a few nodes with borders anywhere. */
const machines = fc
  .array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 4 })
  .map((nodes) => buildMachine({ ...plainShape(), nodes }));

const machineAndRange = machines.chain((machine) =>
  fc.record({
    machine: fc.constant(machine),
    first: fc.nat(machine.end - 1),
    length: fc.integer({ min: 1, max: 6000 }),
  }),
);

const blocksOf = (machine: Machine, first: number, count: number): [number, number][] => {
  const blocks: [number, number][] = [];
  eachBlock(machine, first, count, (head, order) => blocks.push([head, order]));
  return blocks;
};

describe('a range', () => {
  it('is cut into aligned blocks that cover it exactly, each on one node', () => {
    const property = fc.property(machineAndRange, ({ machine, first, length }) => {
      const count = Math.min(length, machine.end - first);
      let next = first;
      for (const [head, order] of blocksOf(machine, first, count)) {
        expect(head).toBe(next);
        expect(head % 2 ** order).toBe(0);
        expect(onOneNode(machine, head, 2 ** order)).toBe(true);
        next += 2 ** order;
      }
      expect(next).toBe(first + count);
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('starts with the largest block that may be there', () => {
    const property = fc.property(machineAndRange, ({ machine, first, length }) => {
      const count = Math.min(length, machine.end - first);
      const fits = (order: number): boolean =>
        first % 2 ** order === 0 &&
        2 ** order <= count &&
        nodeOf(machine, first) === nodeOf(machine, first + 2 ** order - 1);
      const orders = Array.from({ length: 20 }, (_, order) => order).filter(fits);
      expect(firstOrder(machine, first, count)).toBe(Math.max(...orders));
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('is the same for all who walk it, and who asks may stop early', () => {
    const property = fc.property(machineAndRange, fc.nat(9), ({ machine, first, length }, stop) => {
      const count = Math.min(length, machine.end - first);
      const asked: [number, number][] = [];
      const all = everyBlock(machine, first, count, (head, order) => {
        asked.push([head, order]);
        return asked.length <= stop;
      });
      const blocks = blocksOf(machine, first, count);
      expect(asked).toEqual(blocks.slice(0, stop + 1));
      expect(all).toBe(blocks.length <= stop);
    });
    fc.assert(property, { numRuns: 200 });
  });
});

describe('the law counts the bytes of the handover tree', () => {
  /** Bytes that a packed tree takes: its strings come last. */
  const bytesOf = (page: Uint8Array): number => {
    const view = new DataView(page.buffer, page.byteOffset);
    return view.getUint32(12) + view.getUint32(32);
  };

  const told = (text: string): number => Number(/(\d+) bytes/.exec(text)![1]);

  it('as libfdt lays them out, up to the name that no longer fits', () => {
    const bytes = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(31, 200, 600));
    const lengths = fc.array(bytes, { minLength: 1, maxLength: 70, size: 'max' });
    const refusals: number[] = [];
    const property = fc.property(lengths, (given) => {
      const names = ['kexec-metadata', ...given.map((length, i) => `${i}`.padEnd(length, 'x'))];
      const distinct = [...new Set(names)];
      const nameBytes = distinct.map((name) => name.length);
      const s = sparseState({ ...buildMachine(plainShape()), nameBytes });
      const page = new Uint8Array(4096);
      createTree(page, 'kho-v4', 0x1000);
      for (const [index, text] of distinct.entries()) {
        const made = call('addSubtree', { name: index, pfn: 100 + index, value: 1 });
        const value = addSubtree(page, text, (100 + index) * 4096, 1, INTENDED);
        const answer = { value } as Parameters<typeof TRE_03.holds>[2];
        expect(TRE_03.when(s, made, answer)).toBe(value === 0);
        expect(TRE_02.when(s, made, answer)).toBe(value !== 0);
        ACTION.addSubtree.effect(s, made, answer);
        expect(told(TRE_02.tell(s, made, answer))).toBe(bytesOf(page));
        if (value !== 0) refusals.push(value);
      }
    });
    fc.assert(property, { numRuns: 120 });
    expect(new Set(refusals)).toEqual(new Set([-12]));
  });
});
