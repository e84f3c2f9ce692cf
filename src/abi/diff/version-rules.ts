/**
 * Strings against changes: a new version that is missing, needless, goes back or jumps, the order
 * of a composite string, and a string whose length moves what stands behind it.
 */
import { abiOn, type AbiDescription } from '../headers/description.ts';
import { FIRST_TARGET } from '../headers/targets.ts';
import { note, type AbiFinding, type Change, type Sides } from './finding.ts';
import { chainOf, isTestFamily, type Versions, type VersionString } from './strings.ts';

const partOf = (version: VersionString, family: string): number =>
  version.parts.find((part) => part.family === family)?.version ?? 0;

/** What one family's strings say. */
const familyFindings = (
  versions: Versions,
  family: string,
  changes: readonly Change[],
): readonly AbiFinding[] => {
  const { old, new: next } = versions.of(family);
  if (old === undefined || next === undefined) return [];
  const [was, is] = [partOf(old, family), partOf(next, family)];
  const places = { old: old.macro, new: next.macro };
  const subject = family;
  if (is < was) {
    const message = `${next.macro.name} goes back from ${old.text} to ${next.text}`;
    const impact = 'kernels of two formats may say the same version';
    return [
      note(
        'VERSION-03',
        'error',
        { message, impact, action: 'take a new version', subject },
        places,
      ),
    ];
  }
  if (is === was) return [];
  const found: AbiFinding[] = [];
  if (is > was + 1) {
    const past = is - was - 1;
    const message = `${next.macro.name} goes from ${old.text} to ${next.text}, past ${past}`;
    const texts = { message, impact: 'none: a version is new, not next', action: 'none', subject };
    found.push(note('VERSION-04', 'info', texts, places));
  }
  const reasons = changes.filter(({ families }) => families.flatMap(chainOf).includes(family));
  if (reasons.length === 0) {
    const message = `${next.macro.name} is ${next.text}, was ${old.text}, and nothing changed`;
    const impact = 'kernels that could follow each other refuse each other';
    const action = 'leave the version, or say what changed';
    found.push(note('VERSION-02', 'warning', { message, impact, action, subject }, places));
  } else {
    const count = reasons.length === 1 ? '1 change' : `${reasons.length} changes`;
    const message = `${next.macro.name} is ${next.text}, was ${old.text}: ${count}`;
    const impact = 'a kernel of the other version does not read what it cannot read';
    found.push(note('VERSION-07', 'info', { message, impact, action: 'none', subject }, places));
  }
  return found;
};

/** Composite strings whose parts behind the first are not in order. */
const orderFindings = (versions: Versions): readonly AbiFinding[] =>
  versions.new.flatMap(({ macro, text, parts }) => {
    const rest = parts.slice(1).map(({ family }) => family);
    const sorted = rest.every((family, at) => at === 0 || rest[at - 1]! < family);
    if (sorted) return [];
    const message = `the parts of ${text} are not in alphabetical order`;
    const impact = 'two kernels with the same parts may say them in another order';
    const action = `write ${[parts[0]!.family, ...[...rest].sort()].join(', ')}`;
    const texts = { message, impact, action, subject: macro.name };
    return [note('VERSION-05', 'error', texts, { new: macro })];
  });

/** Strings that have another name under the macro of the same name. */
const nameFindings = (versions: Versions): readonly AbiFinding[] =>
  versions.old.flatMap((old) => {
    const next = versions.new.find(({ macro }) => macro.name === old.macro.name);
    const [was, is] = [old.parts[0]?.family, next?.parts[0]?.family];
    if (next === undefined || was === is) return [];
    const message = `${old.macro.name} is ${next.text}, was ${old.text}`;
    const impact = 'readers refuse it, and no order of versions tells which is newer';
    const texts = { message, impact, action: 'keep the name of the string', subject: was ?? '' };
    return [note('VERSION-06', 'warning', texts, { old: old.macro, new: next.macro })];
  });

/** Whether a member's size follows from the length of a string. */
const lengthFindings = (sides: Sides, versions: Versions): readonly AbiFinding[] =>
  versions.new.flatMap(({ macro, text }) => {
    const old = versions.old.find((each) => each.macro.name === macro.name);
    if (old === undefined || old.text.length === text.length) return [];
    return sides.new.constants.flatMap((constant) => {
      const { name, madeOf } = constant;
      if (!madeOf.includes(macro.name) || constant.text !== undefined) return [];
      const [was, is] = [valueOf(sides.old, name), valueOf(sides.new, name)];
      if (was === is || was === undefined || is === undefined) return [];
      const message = `${name} is ${is}, was ${was}, because ${text} is longer than ${old.text}`;
      const impact = 'an older kernel looks for the version where there is something else';
      const action = 'give the string a room of fixed length';
      const places = { old: old.macro, new: macro };
      return [note('VERSION-08', 'warning', { message, impact, action, subject: name }, places)];
    });
  });

const valueOf = (side: AbiDescription, name: string): number | string | undefined =>
  abiOn(side, FIRST_TARGET.name)?.constants[name];

/** Changes that break something and that no version covers: one finding for every version. */
const missing = (versions: Versions, changes: readonly Change[]): readonly AbiFinding[] => {
  const bare = changes.filter((change) => change.breaks && !versions.covering(change.families));
  const groups = new Map<string, Change[]>();
  for (const change of bare) {
    const family = change.families[0] ?? '';
    groups.set(family, [...(groups.get(family) ?? []), change]);
  }
  return [...groups].map(([family, of]) => {
    const { new: next, old } = versions.of(family);
    const place = next ?? old;
    const count = of.length === 1 ? '1 change' : `${of.length} changes`;
    const test = isTestFamily(family) ? ' (a test of the kernel)' : '';
    const name = place === undefined ? 'no version' : `${place.macro.name} stays ${place.text}`;
    const message = `${name}${test}, with ${count}: ${of[0]!.subject}`;
    const impact = 'both kernels take what they cannot read';
    const action =
      place === undefined
        ? 'decide: nothing on the wire says which of the two it is'
        : `make ${place.macro.name} a new version`;
    const places = { old: old?.macro ?? of[0]!.old, new: next?.macro ?? of[0]!.new };
    const subject = family === '' ? of[0]!.subject : family;
    return note('VERSION-01', 'error', { message, impact, action, subject }, places);
  });
};

/** Everything about versions. */
export const versionFindings = (
  sides: Sides,
  versions: Versions,
  changes: readonly Change[],
): readonly AbiFinding[] => [
  ...missing(versions, changes),
  ...versions
    .families()
    .filter((family) => !isTestFamily(family) || family === 'kho-test')
    .flatMap((family) => familyFindings(versions, family, changes)),
  ...orderFindings(versions),
  ...nameFindings(versions),
  ...lengthFindings(sides, versions),
];
