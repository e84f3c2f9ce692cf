/**
 * Structures: what is at another place, of another size, gone or new, on any target with KHO.
 *
 * A member that has another name at the same place with the same type is a rename. Types that are
 * spelled differently and are the same number are a matter of spelling.
 */
import { abiOn, type AbiField, type AbiStruct, type Place } from '../headers/description.ts';
import { TARGETS } from '../headers/targets.ts';
import { roleOf } from '../headers/places.ts';
import { MISREAD, NO_EFFECT, type Change, type Sides } from './finding.ts';
import type { Versions } from './strings.ts';

/** Targets that a comparison is about. */
export const COMPARED = TARGETS.filter(({ supported }) => supported).map(({ name }) => name);

/** A number's kind: how its bytes are taken, whatever the type is called. */
export const kindOf = (type: string): string => {
  const element = type.replace(/(?:\[\d*\])+$/, '');
  if (element.endsWith('*')) return 'address';
  if (/^(?:struct|union|enum)\b/.test(element)) return element;
  if (/^(?:__)?be\d+$/.test(element)) return 'big-endian number';
  if (/^(?:__)?le\d+$/.test(element)) return 'little-endian number';
  if (/^(?:float|double)$/.test(element)) return 'floating-point number';
  if (/^(?:bool|_Bool)$/.test(element)) return 'truth value';
  if (/^(?:char|unsigned char|u8|__u8|s8|uint8_t)$/.test(element)) {
    return /\[/.test(type) ? 'bytes' : element === 's8' ? 'signed number' : 'number';
  }
  return /^(?:__)?s\d+$|^int\d*_t$|^(?:int|long|long long|short|ssize_t|loff_t)$/.test(element)
    ? 'signed number'
    : 'number';
};

const span = ({ bits, offset, size, flexible }: AbiField): string => {
  if (bits !== undefined) return `${bits.width} bits at bit ${bits.offset}`;
  return flexible ? `any number of bytes at ${offset}` : `${size} bytes at ${offset}`;
};

const startOf = ({ bits, offset }: AbiField): number => bits?.offset ?? offset * 8;
const widthOf = ({ bits, size }: AbiField): number => bits?.width ?? size * 8;

interface Pair {
  readonly name: string;
  readonly old: readonly AbiField[];
  readonly new: readonly AbiField[];
}

/** What changed in one structure, as rule, subject and message; pure. */
interface Difference {
  readonly rule: string;
  readonly member: string;
  readonly message: string;
  readonly breaks: boolean;
}

/** Members that are gone and new at the same place with the same type: renamed. */
const renamesIn = ({ old, new: next }: Pair): ReadonlyMap<string, string> => {
  const names = new Set(next.map(({ name }) => name));
  const before = new Set(old.map(({ name }) => name));
  const renames = new Map<string, string>();
  for (const field of old) {
    if (names.has(field.name)) continue;
    const heir = next.find(
      (each) =>
        !before.has(each.name) &&
        startOf(each) === startOf(field) &&
        widthOf(each) === widthOf(field) &&
        kindOf(each.type) === kindOf(field.type),
    );
    if (heir !== undefined) renames.set(field.name, heir.name);
  }
  return renames;
};

const compareField = (was: AbiField, is: AbiField): Difference[] => {
  const found: Difference[] = [];
  const say = (rule: string, message: string, breaks = true): void =>
    void found.push({ rule, member: is.name, message, breaks });
  const what = is.name === '' ? 'a member without a name' : is.name;
  if (startOf(was) !== startOf(is)) {
    say('WIRE-01', `${what} moved: ${span(was)}, now ${span(is)}`);
  }
  if (widthOf(was) !== widthOf(is) || was.flexible !== is.flexible) {
    say('WIRE-02', `${what} changed its size: ${was.type} (${span(was)}), now ${is.type}`);
  } else if (kindOf(was.type) !== kindOf(is.type)) {
    say('WIRE-06', `${what} is a ${kindOf(is.type)}, was a ${kindOf(was.type)}`);
  } else if (was.type !== is.type) {
    say('SOURCE-05', `${what} is spelled ${is.type}, was ${was.type}`, false);
  }
  if (was.name !== is.name) say('SOURCE-01', `${was.name} is called ${is.name} now`, false);
  return found;
};

/** Differences of one structure on one target. */
const compareFields = (pair: Pair): readonly Difference[] => {
  const renames = renamesIn(pair);
  const heirs = new Set(renames.values());
  const gone = pair.old.filter(
    ({ name }) => !renames.has(name) && !pair.new.some((each) => each.name === name),
  );
  const added = pair.new.filter(
    ({ name }) => !heirs.has(name) && !pair.old.some((each) => each.name === name),
  );
  return [
    ...gone.map((field) => ({
      rule: 'WIRE-03',
      member: field.name,
      message: `${field.name} is gone (${field.type}, ${span(field)})`,
      breaks: true,
    })),
    ...added.map((field) => {
      // A member of a union that lies where others were and are is another view of their bytes.
      const kept = pair.new.find(
        (each) =>
          startOf(each) <= startOf(field) &&
          startOf(field) + widthOf(field) <= startOf(each) + widthOf(each) &&
          pair.old.some(({ name }) => name === each.name),
      );
      const view = kept !== undefined && widthOf(field) > 0;
      return {
        rule: view ? 'SOURCE-05' : 'WIRE-04',
        member: field.name,
        message: view
          ? `${field.name} is another view of ${kept.name}`
          : `${field.name} is new (${field.type}, ${span(field)})`,
        breaks: !view,
      };
    }),
    ...pair.old.flatMap((was) => {
      const is = pair.new.find(({ name }) => name === (renames.get(was.name) ?? was.name));
      if (is === undefined) return [];
      const inner = compareFields({ name: '', old: was.members ?? [], new: is.members ?? [] });
      return [
        ...compareField(was, is),
        ...inner.map((each) => ({ ...each, member: `${is.name}.${each.member}` })),
      ];
    }),
  ];
};

const placeOf = (struct: AbiStruct, member: string): Place => ({
  file: struct.file,
  line: struct.lines[member.split('.')[0]!] ?? struct.line,
});

/** Which side could not have had something, because its kind of source was missing. */
export const couldNotHave = (side: Sides['old'], place: Place): boolean => {
  const role = roleOf(place.file)?.name;
  return role !== undefined && side.missing.some((each) => each.startsWith(`${role}:`));
};

/** The structure of that name, or one that is it under another name. */
const counterpart = (sides: Sides, struct: AbiStruct): AbiStruct | undefined => {
  const same = sides.new.structs.find(({ name }) => name === struct.name);
  if (same !== undefined) return same;
  const old = abiOn(sides.old, COMPARED[0]!)?.layouts[struct.name];
  const layouts = abiOn(sides.new, COMPARED[0]!)?.layouts ?? {};
  const known = new Set(sides.old.structs.map(({ name }) => name));
  const shape = (fields: readonly AbiField[]): string =>
    fields.map((field) => `${field.name} ${span(field)} ${kindOf(field.type)}`).join(', ');
  return sides.new.structs.find(({ name }) => {
    const layout = layouts[name];
    if (known.has(name) || old === undefined || layout === undefined) return false;
    return layout.size === old.size && shape(layout.fields) === shape(old.fields);
  });
};

/**
 * Members that only moved because one before them came, went or grew are not told of one by one.
 */
const withoutEchoes = (
  found: readonly Difference[],
  was: readonly AbiField[],
  is: readonly AbiField[],
): readonly Difference[] => {
  const causes = found.some(({ rule }) => /^WIRE-0[234]$/.test(rule));
  const common = (a: readonly AbiField[], b: readonly AbiField[]): string =>
    a.flatMap(({ name }) => (b.some((each) => each.name === name) ? [name] : [])).join();
  if (!causes || common(was, is) !== common(is, was)) return found;
  return found.filter(({ rule }) => rule !== 'WIRE-01');
};

/** Members of a record without a name count as members of the record around it. */
const flat = (fields: readonly AbiField[]): readonly AbiField[] =>
  fields.flatMap((field) => {
    if (field.name !== '' || field.members === undefined) return [field];
    return flat(field.members).map((inner) => ({
      ...inner,
      offset: inner.offset + field.offset,
      ...(inner.bits && {
        bits: { ...inner.bits, offset: inner.bits.offset + field.offset * 8 },
      }),
    }));
  });

/** Differences of a pair of structures, over all targets. */
const differences = (
  sides: Sides,
  old: AbiStruct,
  next: AbiStruct,
): readonly (Difference & { readonly targets: readonly string[] })[] => {
  const all = new Map<string, Difference & { targets: string[] }>();
  for (const target of COMPARED) {
    const was = abiOn(sides.old, target)?.layouts[old.name];
    const is = abiOn(sides.new, target)?.layouts[next.name];
    if (was === undefined || is === undefined) continue;
    const found = [
      ...compareFields({ name: old.name, old: flat(was.fields), new: flat(is.fields) }),
    ];
    if (was.size !== is.size && !found.some(({ breaks }) => breaks)) {
      const message = `has ${is.size} bytes, had ${was.size}`;
      found.push({ rule: 'WIRE-05', member: '', message, breaks: true });
    }
    for (const difference of withoutEchoes(found, was.fields, is.fields)) {
      const key = `${difference.rule} ${difference.member}`;
      const known = all.get(key);
      if (known === undefined) all.set(key, { ...difference, targets: [target] });
      else known.targets.push(target);
    }
  }
  return [...all.values()];
};

const impactOf = (rule: string, struct: string): string => {
  switch (rule) {
    case 'WIRE-04':
      return `the old kernel writes no such bytes, and the new one reads what lies there`;
    case 'WIRE-03':
      return `the new kernel does not look at what the old one wrote, nor writes what it reads`;
    case 'WIRE-05':
      return `in a list, every ${struct} after the first is read from the wrong place`;
    case 'WIRE-06':
      return `the same bytes are taken for another value`;
    default:
      return `each kernel reads other bytes of ${struct} than its partner wrote`;
  }
};

/** Every change of a structure. */
export const wireChanges = (sides: Sides, versions: Versions): readonly Change[] => {
  const taken = new Set<string>();
  const changes: Change[] = [];
  for (const old of sides.old.structs) {
    const next = counterpart(sides, old);
    const families = versions.familiesOf([...old.ownedBy, ...(next?.ownedBy ?? [])]);
    if (next === undefined) {
      if (couldNotHave(sides.new, old)) continue;
      changes.push({
        rule: 'WIRE-07',
        message: `${old.name} is gone`,
        subject: old.name,
        families,
        effects: { oldToNew: 'ignored', newToOld: 'same' },
        impact: 'what the old kernel wrote is not read, and the old kernel finds none of it',
        old,
        new: undefined,
        // Where its version is gone too, nobody takes what lies there for what it is not.
        breaks: families.length === 0 || families.some((family) => versions.of(family).new),
      });
      continue;
    }
    taken.add(next.name);
    if (next.name !== old.name) changes.push(renamed(old, next, families));
    for (const { rule, member, message, breaks, targets } of differences(sides, old, next)) {
      const some = targets.length < COMPARED.length;
      changes.push({
        rule,
        message: `${old.name}: ${message}${some ? ` (on ${targets.join(', ')})` : ''}`,
        subject: member === '' ? old.name : `${old.name}.${member}`,
        families,
        effects: breaks ? MISREAD : NO_EFFECT,
        impact: breaks ? impactOf(rule, old.name) : 'none: the bytes are the same',
        old: placeOf(old, member),
        new: placeOf(next, member),
        breaks,
        ...(some ? { targets } : {}),
      });
    }
  }
  for (const next of sides.new.structs) {
    const isKnown = taken.has(next.name) || couldNotHave(sides.old, next);
    if (!isKnown) changes.push(added(next, versions.familiesOf(next.ownedBy)));
  }
  return changes;
};

const renamed = (old: AbiStruct, next: AbiStruct, families: readonly string[]): Change => ({
  rule: 'SOURCE-02',
  message: `${old.name} is called ${next.name} now`,
  subject: old.name,
  families,
  effects: NO_EFFECT,
  impact: 'none: the bytes are the same',
  old,
  new: next,
  breaks: false,
});

const added = (next: AbiStruct, families: readonly string[]): Change => ({
  rule: 'WIRE-08',
  message: `${next.name} is new`,
  subject: next.name,
  families,
  effects: NO_EFFECT,
  impact: 'none by itself: no old kernel writes or reads it',
  old: undefined,
  new: next,
  breaks: false,
});
