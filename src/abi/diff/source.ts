/** Names and places alone: what changes no byte, and what could not be compared. */
import type { AbiConstant, AbiDescription } from '../headers/description.ts';
import { abiOn } from '../headers/description.ts';
import { note, type AbiFinding, type Sides } from './finding.ts';
import { COMPARED, couldNotHave } from './wire.ts';

const NOTHING = { impact: 'none', action: 'none' } as const;

const movedStructs = (sides: Sides): readonly AbiFinding[] =>
  sides.old.structs.flatMap((old) => {
    const next = sides.new.structs.find(({ name }) => name === old.name);
    if (next === undefined || next.file === old.file) return [];
    const message = `${old.name} stands in ${next.file}, stood in ${old.file}`;
    const texts = { ...NOTHING, message, subject: old.name };
    return [note('SOURCE-03', 'info', texts, { old, new: next })];
  });

const valueOf = (side: AbiDescription, { name, text }: AbiConstant): string =>
  text === undefined ? String(abiOn(side, COMPARED[0]!)?.constants[name]) : JSON.stringify(text);

const constants = (sides: Sides): readonly AbiFinding[] => {
  const only = (a: AbiDescription, b: AbiDescription): readonly AbiConstant[] =>
    a.constants.filter(
      (each) => !b.constants.some(({ name }) => name === each.name) && !couldNotHave(b, each),
    );
  const gone = only(sides.old, sides.new);
  const added = [...only(sides.new, sides.old)];
  const found: AbiFinding[] = [];
  for (const old of gone) {
    const value = valueOf(sides.old, old);
    const at = added.findIndex((each) => {
      const alike = each.file === old.file || old.text !== undefined;
      return alike && valueOf(sides.new, each) === value;
    });
    const heir = at < 0 ? undefined : added.splice(at, 1)[0];
    const message =
      heir === undefined
        ? `${old.name} is gone (${value})`
        : `${old.name} is called ${heir.name} now (${value})`;
    const texts = { ...NOTHING, message, subject: old.name };
    found.push(note('SOURCE-04', 'info', texts, { old, new: heir }));
  }
  for (const next of added) {
    const message = `${next.name} is new (${valueOf(sides.new, next)})`;
    const texts = { ...NOTHING, message, subject: next.name };
    found.push(note('SOURCE-04', 'info', texts, { new: next }));
  }
  return found;
};

const enums = (sides: Sides): readonly AbiFinding[] => {
  const all = (side: AbiDescription) =>
    side.enums.flatMap(({ values, file, line }) => values.map((name) => ({ name, file, line })));
  const [old, next] = [all(sides.old), all(sides.new)];
  const lone = (a: typeof old, b: typeof old) =>
    a.filter(({ name }) => !b.some((each) => each.name === name));
  return [
    ...lone(old, next).flatMap((each) => {
      if (couldNotHave(sides.new, each)) return [];
      const texts = { ...NOTHING, message: `${each.name} is gone`, subject: each.name };
      return [note('SOURCE-04', 'info', texts, { old: each })];
    }),
    ...lone(next, old).flatMap((each) => {
      if (couldNotHave(sides.old, each)) return [];
      const texts = { ...NOTHING, message: `${each.name} is new`, subject: each.name };
      return [note('SOURCE-04', 'info', texts, { new: each })];
    }),
  ];
};

/** Kinds of sources that one side has and the other lacks. */
const lacking = (sides: Sides): readonly AbiFinding[] => {
  const roles = (side: AbiDescription) => new Set(side.missing.map((each) => each.split(':')[0]!));
  const [old, next] = [roles(sides.old), roles(sides.new)];
  return [...new Set([...old, ...next])].flatMap((role) => {
    if (old.has(role) === next.has(role)) return [];
    const side = old.has(role) ? 'old' : 'new';
    const message = `the ${side} side has no ${role}; what stands there was not compared`;
    const action = 'compare whole kernel trees';
    const texts = { message, impact: 'a change there is not seen', action, subject: role };
    return [note('SOURCE-06', 'warning', texts)];
  });
};

/** Everything that is names and places alone. */
export const sourceFindings = (sides: Sides): readonly AbiFinding[] => [
  ...movedStructs(sides),
  ...constants(sides),
  ...enums(sides),
  ...lacking(sides),
];
