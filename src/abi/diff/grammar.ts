/**
 * Trees: what is written into them and what a reader cannot do without.
 *
 * That a kernel writes something new harms nobody whose readers pass it over; that it demands
 * something new breaks every handover from a kernel that never wrote it.
 */
import { NO_EFFECT, type Change, type Effects, type Sides } from './finding.ts';
import type { AbiDescription, TreeItem } from '../headers/description.ts';
import type { Outcome } from '../verdict/outcome.ts';
import { chainOf, isTestFamily, type Versions } from './strings.ts';
import { couldNotHave } from './wire.ts';

/** The version that a tree begins with. */
const FAMILY: Readonly<Record<string, string>> = {
  root: 'kho',
  LUO: 'luo',
  luo: 'luo',
  kho_test: 'kho-test',
};

const familyOf = (tree: string): string => FAMILY[tree] ?? tree;

/** What becomes of a kernel whose tree lacks something that it demands. */
const LACKING: Readonly<Record<string, Outcome>> = { LUO: 'panic', luo: 'panic' };

/** The property without which a root is none; without another, blobs are not found. */
const IS_MAP = /^preserved-memory-map$/;

const lacking = ({ tree, kind, name }: TreeItem): Outcome =>
  tree === 'root'
    ? kind === 'property' && !IS_MAP.test(name)
      ? 'misread'
      : 'refused'
    : (LACKING[tree] ?? 'ignored');

const keyOf = ({ tree, kind, name }: TreeItem): string => `${tree} ${kind} ${name}`;

const itemsOf = ({ tree }: AbiDescription): ReadonlyMap<string, TreeItem> =>
  new Map(tree.filter(({ kind }) => kind !== 'string').map((item) => [keyOf(item), item]));

const what = ({ tree, kind, name }: TreeItem): string =>
  tree === 'root' && kind === 'node'
    ? `the subtree ${name}`
    : `${kind === 'node' ? 'node' : 'property'} ${name} of ${tree === 'root' ? 'the root' : tree}`;

/** Whether a tree exists at all on a side: one that does not has no old readers or writers. */
const hasTree = (side: AbiDescription, tree: string): boolean =>
  tree === 'root' || side.tree.some((item) => item.tree === 'root' && item.name === tree);

/** Trees of the kernel's tests, which no kernel waits for. */
const isTest = (tree: string): boolean => isTestFamily(familyOf(tree));

const subtree = (item: TreeItem): boolean => item.tree === 'root' && item.kind === 'node';

const appeared = (sides: Sides, item: TreeItem, families: readonly string[]): Change => {
  const { tree } = item;
  const base = {
    subject: keyOf(item),
    families,
    old: undefined,
    new: item,
    breaks: false,
  };
  if (subtree(item)) {
    const ignored = isTest(item.name) ? 'same' : 'ignored';
    return {
      ...base,
      rule: 'GRAMMAR-05',
      message: `${what(item)} is new`,
      effects: { oldToNew: 'same', newToOld: ignored },
      impact: 'an older kernel does not look at it',
    };
  }
  if (!hasTree(sides.old, tree)) {
    return {
      ...base,
      rule: 'GRAMMAR-05',
      message: `${what(item)} is new, as all of ${tree} is`,
      effects: NO_EFFECT,
      impact: 'none: no older kernel writes or reads this tree',
    };
  }
  const isNode = item.kind === 'node';
  const ignored: Outcome = isNode && !isTest(tree) ? 'ignored' : 'same';
  if (item.read === 'required' || (item.read === 'unknown' && item.from !== 'code')) {
    const sure = item.read === 'required';
    const effects: Effects = { oldToNew: lacking(item), newToOld: ignored };
    return {
      ...base,
      rule: 'GRAMMAR-01',
      message: `${what(item)} is new${sure ? ', and demanded' : ''}`,
      effects: isTest(tree) ? NO_EFFECT : effects,
      impact: sure
        ? `the new kernel finds none in an older handover and ${ends(lacking(item))}`
        : 'a reader that demands it fails on an older handover; that cannot be seen here',
      breaks: true,
    };
  }
  return {
    ...base,
    rule: 'GRAMMAR-02',
    message: `${what(item)} is new`,
    effects: { oldToNew: 'same', newToOld: ignored },
    impact: 'an older kernel passes over it',
  };
};

const ends = (outcome: Outcome): string =>
  outcome === 'panic' ? 'panics' : outcome === 'refused' ? 'boots cold' : 'loses what is in it';

const vanished = (sides: Sides, item: TreeItem, families: readonly string[]): Change => {
  const { tree } = item;
  const base = { subject: keyOf(item), families, old: item, new: undefined };
  const demanded = item.read === 'required' || item.from !== 'code';
  if (subtree(item)) {
    return {
      ...base,
      rule: 'GRAMMAR-03',
      message: `${what(item)} is gone`,
      effects: isTest(item.name) ? NO_EFFECT : { oldToNew: 'ignored', newToOld: 'same' },
      impact: 'what an older kernel hands over in it is lost',
      breaks: false,
      severity: 'warning',
    };
  }
  const effects: Effects = {
    oldToNew: item.kind === 'node' ? 'ignored' : 'same',
    newToOld: demanded && hasTree(sides.new, tree) ? lacking(item) : 'same',
  };
  return {
    ...base,
    rule: 'GRAMMAR-03',
    message: `${what(item)} is gone`,
    effects: isTest(tree) ? NO_EFFECT : effects,
    impact: demanded
      ? `an older kernel demands it and ${ends(lacking(item))}`
      : 'older kernels do without it',
    breaks: demanded && hasTree(sides.new, tree),
  };
};

const changed = (was: TreeItem, is: TreeItem, families: readonly string[]): readonly Change[] => {
  const base = { subject: keyOf(is), families, old: was, new: is };
  const found: Change[] = [];
  if (was.form !== undefined && is.form !== undefined && was.form !== is.form) {
    found.push({
      ...base,
      rule: 'GRAMMAR-04',
      message: `${what(is)} holds ${is.form}, held ${was.form}`,
      effects: isTest(is.tree) ? NO_EFFECT : { oldToNew: 'misread', newToOld: 'misread' },
      impact: 'a reader that does not look at the length takes one for the other',
      breaks: true,
    });
  }
  if (was.read === 'optional' && is.read === 'required') {
    const harmless = was.written;
    found.push({
      ...base,
      rule: 'GRAMMAR-07',
      message: `${what(is)} is demanded now`,
      effects: harmless ? NO_EFFECT : { oldToNew: lacking(is), newToOld: 'same' },
      impact: harmless
        ? 'an older kernel that left it out is no longer taken over'
        : `the new kernel finds none in an older handover and ${ends(lacking(is))}`,
      breaks: true,
    });
  }
  return found;
};

/** Names that changed under the macro that names them: a node or property was renamed. */
const renames = (sides: Sides): ReadonlyMap<string, string> => {
  const names = new Map<string, string>();
  for (const { name, text } of sides.old.constants) {
    const now = sides.new.constants.find((each) => each.name === name)?.text;
    if (text !== undefined && now !== undefined && text !== now) names.set(text, now);
  }
  return names;
};

const renamed = (was: TreeItem, is: TreeItem, families: readonly string[]): Change => ({
  rule: 'GRAMMAR-06',
  message: `${what(was)} is called ${is.name} now`,
  subject: keyOf(was),
  families,
  effects: isTest(was.tree)
    ? NO_EFFECT
    : subtree(was)
      ? { oldToNew: 'ignored', newToOld: 'ignored' }
      : { oldToNew: lacking(was), newToOld: lacking(was) },
  impact: 'neither kernel finds what the other one wrote',
  old: was,
  new: is,
  breaks: true,
});

/** Every change of a tree. */
export const grammarChanges = (sides: Sides, versions: Versions): readonly Change[] => {
  const [old, next] = [itemsOf(sides.old), itemsOf(sides.new)];
  const names = renames(sides);
  const done = new Set<string>();
  const familiesOf = (item: TreeItem): readonly string[] => {
    const own = subtree(item) ? 'kho' : familyOf(item.tree);
    return versions.of(own).old || versions.of(own).new ? [own] : chainOf(own).slice(1);
  };
  const changes: Change[] = [];
  for (const [key, was] of old) {
    const now = next.get(key);
    const heir = now ?? next.get(keyOf({ ...was, name: names.get(was.name) ?? was.name }));
    if (now !== undefined) changes.push(...changed(was, now, familiesOf(now)));
    else if (heir !== undefined) changes.push(renamed(was, heir, familiesOf(was)));
    else if (!couldNotHave(sides.new, was)) changes.push(vanished(sides, was, familiesOf(was)));
    if (heir !== undefined) done.add(keyOf(heir));
  }
  for (const [key, is] of next) {
    if (old.has(key) || done.has(key) || couldNotHave(sides.old, is)) continue;
    changes.push(appeared(sides, is, familiesOf(is)));
  }
  return changes;
};
