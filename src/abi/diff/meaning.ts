/**
 * Same bytes, other sense: what a member leads to, what it counts, what a constant stands for.
 *
 * Names of structures and units are taken from comments and compared; that a sentence was worded
 * anew is information only. Constants are told apart by their names: a limit or length that both
 * sides compute with changes the wire, a flag or code changes what is meant.
 */
import { abiOn, type AbiConstant, type AbiStruct, type Meaning } from '../headers/description.ts';
import { MISREAD, NO_EFFECT, type Change, type Sides } from './finding.ts';
import type { Versions } from './strings.ts';
import { COMPARED, couldNotHave } from './wire.ts';

const isStruct = (name: string): boolean => /^(?:struct|union) /.test(name);

/** What one side names and the other does not. */
const swapped = (
  was: Meaning,
  is: Meaning,
  wanted: (name: string) => boolean,
): readonly [string, string] | undefined => {
  const only = (a: Meaning, b: Meaning): string =>
    a.about.filter((each) => wanted(each) && !b.about.includes(each)).join(', ');
  const [lost, gained] = [only(was, is), only(is, was)];
  return lost !== '' && gained !== '' ? [lost, gained] : undefined;
};

const memberChange = (
  old: AbiStruct,
  next: AbiStruct,
  member: string,
  families: readonly string[],
): Change | undefined => {
  const was = old.means[member];
  const is = next.means[member];
  if (was === undefined || is === undefined || was.digest === is.digest) return undefined;
  const base = {
    subject: `${old.name}.${member}`,
    families,
    old: { file: old.file, line: old.lines[member] ?? old.line },
    new: { file: next.file, line: next.lines[member] ?? next.line },
  };
  const structs = swapped(was, is, isStruct);
  const gained = is.about.filter((each) => isStruct(each) && !was.about.includes(each));
  const lead = structs ?? (gained.length > 0 && was.about.some(isStruct) ? ['', ''] : undefined);
  if (lead !== undefined) {
    const to = is.about.filter(isStruct).join(', ');
    const from = was.about.filter(isStruct).join(', ');
    return {
      ...base,
      rule: 'MEANING-01',
      message: `${old.name}: ${member} leads to ${to}, led to ${from}`,
      effects: MISREAD,
      impact: 'what is found at the address is taken for another structure',
      breaks: true,
    };
  }
  const units = swapped(was, is, (each) => !isStruct(each));
  if (units !== undefined) {
    return {
      ...base,
      rule: 'MEANING-02',
      message: `${old.name}: ${member} is about ${units[1]}, was about ${units[0]}`,
      effects: MISREAD,
      impact: 'a number is taken for so many of something else',
      breaks: true,
    };
  }
  return {
    ...base,
    rule: 'MEANING-04',
    message: `${old.name}: what is said of ${member} is worded anew`,
    effects: NO_EFFECT,
    impact: 'none, unless the new words mean something else',
    breaks: false,
  };
};

/** What is said of members. */
export const meaningChanges = (sides: Sides, versions: Versions): readonly Change[] =>
  sides.old.structs.flatMap((old) => {
    const next = sides.new.structs.find(({ name }) => name === old.name);
    if (next === undefined) return [];
    const families = versions.familiesOf([...old.ownedBy, ...next.ownedBy]);
    return Object.keys(old.means).flatMap(
      (member) => memberChange(old, next, member, families) ?? [],
    );
  });

/** Constants that say how much fits or how long something is. */
const IS_SIZE =
  /_(?:MAX|SIZE|PGCNT|LEN|LENGTH|BITS|LOG2|DEPTH|WIDTH|BLOCKS|SHIFT)$|^PRESERVE_BITS$/;
/** Constants that are nobody's business on the wire. */
const IS_LOCAL = /^(?:KEXEC_KHO_|KHO_TEST_)/;

/** What a change of a constant is, by what the constant is for. */
const constantRule = (name: string): 'WIRE-09' | 'MEANING-03' =>
  IS_SIZE.test(name) ? 'WIRE-09' : 'MEANING-03';

/** Families that cover a constant: those of the strings in its file, or the root's. */
const familiesOf = (sides: Sides, versions: Versions, constant: AbiConstant): readonly string[] => {
  const owner = /^(?:LUO|LIVEUPDATE)_FLB/.test(constant.name)
    ? ['luo-flb', 'luo']
    : /^(?:LUO|LIVEUPDATE)_/.test(constant.name)
      ? ['luo']
      : constant.name.startsWith('MEMFD_')
        ? ['memfd']
        : undefined;
  if (owner !== undefined) return owner.filter((family) => hasFamily(versions, family));
  const beside = sides.old.structs.filter(({ file }) => file === constant.file);
  const macros = beside.flatMap(({ ownedBy }) => ownedBy);
  const families = versions.familiesOf(macros);
  return families.length > 0 ? families : ['kho'];
};

const hasFamily = (versions: Versions, family: string): boolean => {
  const { old, new: next } = versions.of(family);
  return old !== undefined || next !== undefined;
};

/** The values of a constant over all targets that KHO runs on, or undefined where it has none. */
const valuesOf = (side: Sides['old'], name: string): string | undefined => {
  const values = COMPARED.map((target) => abiOn(side, target)?.constants[name]);
  if (values.every((value) => value === undefined)) return undefined;
  const [first] = values;
  return values.every((value) => value === first) ? String(first) : values.join(' | ');
};

const enumPlaces = (side: Sides['old']): readonly AbiConstant[] =>
  side.enums.flatMap(({ values, file, line }) =>
    values.map((name) => ({ name, text: undefined, madeOf: [], file, line })),
  );

/** Constants whose value changed. */
export const constantChanges = (sides: Sides, versions: Versions): readonly Change[] => {
  const all = (side: Sides['old']): readonly AbiConstant[] => [
    ...side.constants.filter(({ text }) => text === undefined),
    ...enumPlaces(side),
  ];
  const next = new Map(all(sides.new).map((constant) => [constant.name, constant]));
  return all(sides.old).flatMap((old) => {
    const { name } = old;
    const now = next.get(name);
    const [was, is] = [valuesOf(sides.old, name), valuesOf(sides.new, name)];
    if (now === undefined || was === undefined || is === undefined || was === is) return [];
    if (name.endsWith('_VERSION') || IS_LOCAL.test(name)) return [];
    if (couldNotHave(sides.new, old)) return [];
    const rule = constantRule(name);
    const isSize = rule === 'WIRE-09';
    return [
      {
        rule,
        message: `${name} is ${is}, was ${was}`,
        subject: name,
        families: familiesOf(sides, versions, old),
        effects: MISREAD,
        impact: isSize
          ? 'one kernel looks for more, or for less, than the other one wrote'
          : 'the same number stands for something else',
        old,
        new: now,
        breaks: true,
      },
    ];
  });
};
