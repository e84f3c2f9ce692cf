/**
 * Near misses: an answer or a sight with one thing changed, to learn which rules have teeth.
 *
 * A rule is *decisive* at a moment when it refuses a near miss that no other rule refuses. A rule
 * that is exercised and never decisive says nothing that others do not say already, or nothing that
 * these changes touch. Nothing here is random, and nothing that is judged is changed for good.
 */
import type { Answer, Ranges } from '#spec/call';
import type { CopiedSide, ShownFiles } from '#spec/debugfs';
import type { Handover } from '#spec/handover';
import type { Seen, SeenSessions } from '#spec/rules';
import { HELD, KHO, MOVABLE, UNMOVABLE } from '#spec/state';
import type { State } from '#spec/state';

const LISTS = [
  'taken',
  'given',
  'placed',
  'early',
  'areas',
  'huge',
  'regions',
  'pages',
  'chunks',
] as const;

const NUMBERS = [
  'bytes',
  'managed',
  'fdt',
  'metadata',
  'memblock',
  'memblockBytes',
  'total',
  'order',
  'flags',
] as const;

/** Errors that a near miss answers: of a missing thing, of memory, of an argument. */
const ERRORS = [-2, -12, -16, -17, -22] as const;

/** A list of ranges made of another. */
const list = (length: number, first: Ranges['first'], count: Ranges['count']): Ranges => ({
  length,
  first,
  count,
});

const nearRanges = (of: Ranges, foreign: number): Ranges[] => {
  const last = of.length - 1;
  const near = [
    list(
      of.length + 1,
      (i) => (i > last ? foreign : of.first(i)),
      (i) => (i > last ? 1 : of.count(i)),
    ),
  ];
  if (last < 0) return near;
  near.push(
    list(
      last,
      (i) => of.first(i),
      (i) => of.count(i),
    ),
    list(
      of.length,
      (i) => of.first(i) + (i === last ? 1 : 0),
      (i) => of.count(i),
    ),
    list(
      of.length,
      (i) => of.first(i),
      (i) => of.count(i) + (i === last ? 1 : 0),
    ),
  );
  return near;
};

/** Answers that differ from `answer` in one thing. */
export const nearAnswers = (s: State, answer: Answer): Answer[] => {
  const { value } = answer;
  const scratch = s.areaFirst.get(0);
  const values = [...ERRORS, 0, 1, value + 1, value - 1, scratch, s.machine.end, s.machine.end - 1];
  const near: Answer[] = [...new Set(values)]
    .filter((other) => other !== value)
    .map((other) => ({ ...answer, value: other }));
  for (const key of NUMBERS) near.push({ ...answer, [key]: answer[key] + 1 });
  for (const key of LISTS) {
    for (const ranges of nearRanges(answer[key], scratch)) near.push({ ...answer, [key]: ranges });
  }
  return near;
};

/** Sights of one frame that differ from `seen` in its owner or in what it holds. */
export const nearFrames = (seen: Seen, pfn: number): Seen[] => {
  const use = seen.use(pfn);
  const content = seen.content(pfn);
  return [
    ...[0, 1, 2, 4, 5, 6, -1].filter((other) => other !== use).map((other) => ({ use: other })),
    { content: content + 1 },
  ].map((change) => ({
    ...seen,
    use: () => ('use' in change ? change.use : use),
    content: () => ('content' in change ? change.content : content),
  }));
};

/** Changes one cell of a frame after the other, and puts each back after `look`. */
export const eachNearState = (s: State, pfn: number, look: () => void): void => {
  const orders = 2 ** (s.machine.maxOrder + 1) - 1;
  const changes = [
    [s.use, [0, MOVABLE, UNMOVABLE, KHO, HELD]],
    [s.block, [0, 1, s.machine.maxOrder + 1]],
    [s.kept, [0, 1, (s.kept.get(pfn) << 1) & orders]],
    [s.content, [0, s.content.get(pfn) + 1]],
    [s.vmOrder, [0, 1]],
  ] as const;
  for (const [cell, values] of changes) {
    const value = cell.get(pfn);
    for (const other of values) {
      if (other === value) continue;
      cell.set(pfn, other);
      look();
      cell.set(pfn, value);
    }
  }
};

/** A list without its last, with its last changed, and with another behind it. */
const nearList = <T>(
  of: readonly T[],
  ...changes: readonly ((last: T) => T)[]
): (readonly T[])[] => {
  const last = of.at(-1);
  if (last === undefined) return [];
  const before = of.slice(0, -1);
  return [before, ...changes.map((change) => [...before, change(last)])];
};

const nearHandovers = (of: Handover): Handover[] => {
  const page = 2 ** of.pageShift;
  const moved = <T extends { readonly phys: number }>(thing: T): T => ({
    ...thing,
    phys: thing.phys + page,
  });
  const larger = <T extends { readonly bytes: number }>(thing: T): T => ({
    ...thing,
    bytes: thing.bytes + 1,
  });
  const [area] = of.scratch;
  return [
    ...nearList(of.preserved, moved, (b) => ({ ...b, order: b.order + 1 })).map((preserved) => ({
      ...of,
      preserved,
    })),
    ...nearList(
      of.subtrees,
      moved,
      larger,
      (b) => ({ ...b, bytes: 0 }),
      (b) => ({ ...b, name: `${b.name}x` }),
      (b) => ({ ...b, name: of.subtrees[0]!.name }),
    ).map((subtrees) => ({ ...of, subtrees })),
    ...nearList(of.trackerPages, moved).map((trackerPages) => ({ ...of, trackerPages })),
    ...nearList(of.scratch, moved, larger).map((scratch) => ({ ...of, scratch })),
    ...(area === undefined
      ? []
      : [
          { ...of, preserved: [...of.preserved, { phys: area.phys, order: 0 }] },
          { ...of, trackerPages: [...of.trackerPages, { phys: area.phys, level: 0 }] },
          { ...of, fdt: area.phys },
          { ...of, scratchArray: (of.scratchArray ?? 0) + 8 },
        ]),
    ...['fdt', 'tracker', 'scratch', 'blob'].map((where) => ({
      ...of,
      damage: [...of.damage, { where: `${where}(near miss)`, what: 'is changed' }],
    })),
    { ...of, compatible: `${of.compatible}x` },
    { ...of, tracker: of.tracker === undefined ? 0 : of.tracker + page },
    { ...of, tracker: 0 },
    { ...of, scratch: [] },
    { ...of, fdt: (of.fdt ?? 0) + 8 },
  ];
};

const nearSides = (of: CopiedSide | undefined): (CopiedSide | undefined)[] => {
  if (of === undefined) return [{ tree: undefined, blobs: [] }];
  const { tree } = of;
  const blobs = nearList(
    of.blobs,
    (b) => ({ ...b, bytes: b.bytes + 1 }),
    (b) => ({ ...b, name: `${b.name}x` }),
    (b) => ({ ...b, fault: 'is changed' }),
  ).map((near) => ({ ...of, blobs: near }));
  if (tree === undefined) return [undefined, ...blobs];
  const damage = [{ where: 'fdt', what: 'is changed' }];
  const subtrees = nearList(tree.subtrees, (t) => ({ ...t, phys: t.phys + 4096 }));
  return [
    undefined,
    { ...of, tree: undefined },
    { ...of, tree: { ...tree, bytes: tree.bytes - 1 } },
    { ...of, tree: { ...tree, damage } },
    ...subtrees.map((near) => ({ ...of, tree: { ...tree, subtrees: near } })),
    ...blobs,
  ];
};

const nearFiles = (of: ShownFiles): ShownFiles[] => [
  ...nearSides(of.out).map((out) => ({ ...of, out })),
  ...nearSides(of.in).map((side) => ({ ...of, in: side })),
  { ...of, scratchPhys: of.scratchPhys?.slice(1) },
  { ...of, scratchPhys: of.scratchPhys?.map((phys) => phys + 1) },
  { ...of, scratchLen: of.scratchLen?.map((bytes) => bytes / 2) },
  { ...of, scratch: of.scratch?.slice(1) },
  { ...of, differsAt: 0 },
  { ...of, stampOf: (file) => of.stampOf(file) + 1 },
];

/** Changes of what the previous kernel's orchestrator left. */
const LEFT_OTHERWISE: readonly ((of: SeenSessions) => SeenSessions | string)[] = [
  () => 'is changed',
  (of) => ({ ...of, sessions: of.sessions.slice(1) }),
  (of) => ({ ...of, sessions: [...of.sessions, -1] }),
  (of) => ({ ...of, files: of.files.slice(1) }),
  (of) => ({ ...of, files: of.files.map((file) => ({ ...file, bytes: file.bytes + 1 })) }),
  (of) => ({ ...of, files: of.files.map((file) => ({ ...file, token: file.token + 1 })) }),
];

/** A sight of a system with one thing changed: all of it, and the parts of it that differ. */
export interface NearSight {
  readonly seen: Seen;
  readonly parts: readonly (keyof Seen)[];
}

/** Sights of a system that differ from `seen` in one thing. */
export const nearSights = (seen: Seen): NearSight[] => {
  const regions = seen.regions();
  const near: Partial<Seen>[] = [
    { freeFrames: seen.freeFrames + 1 },
    { kexecCount: seen.kexecCount + 1 },
    { migrateType: () => -1 },
    { migrateType: (pfn) => seen.migrateType(pfn + 2 ** 9) },
    { regions: () => (typeof regions === 'string' ? [] : 'is changed') },
    ...nearHandovers(seen.handover).map((handover) => ({ handover })),
    ...nearFiles(seen.debugfs()).map((files) => ({ debugfs: () => files })),
    ...LEFT_OTHERWISE.map((change) => ({
      luo: (head: number) => {
        const left = seen.luo(head);
        return typeof left === 'string' ? left : change(left);
      },
    })),
  ];
  if (typeof regions !== 'string') {
    const changes = nearList(
      regions,
      (r) => ({ ...r, size: r.size + 1 }),
      (r) => ({ ...r, start: r.start + 1 }),
    );
    for (const changed of changes) near.push({ regions: () => changed });
  }
  return near.map((change) => ({
    seen: { ...seen, ...change },
    parts: Object.keys(change) as (keyof Seen)[],
  }));
};

/**
 * The parts of a sight that somebody looks at: a change of any other makes no difference to him.
 *
 * @param look is given a sight that takes note
 */
export const partsRead = (seen: Seen, look: (noting: Seen) => void): ReadonlySet<keyof Seen> => {
  const read = new Set<keyof Seen>();
  const noting = {} as Seen;
  for (const part of Object.keys(seen) as (keyof Seen)[]) {
    Object.defineProperty(noting, part, {
      get: () => {
        read.add(part);
        return seen[part];
      },
    });
  }
  look(noting);
  return read;
};
