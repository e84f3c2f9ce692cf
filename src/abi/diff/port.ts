/**
 * What a change would do to machines that KHO does not run on yet, and to page sizes that it does.
 *
 * Only what the new side has and the old side did not is told.
 */
import {
  abiOn,
  type AbiDescription,
  type AbiField,
  type AbiStruct,
} from '../headers/description.ts';
import { TARGETS } from '../headers/targets.ts';
import { note, type AbiFinding, type Sides } from './finding.ts';

const BASE = TARGETS[0]!.name;

const shapeOn = (side: AbiDescription, target: string, name: string): string | undefined => {
  const layout = abiOn(side, target)?.layouts[name];
  return (
    layout && JSON.stringify([layout.size, layout.fields.map(({ offset, size }) => [offset, size])])
  );
};

/** Targets on which a structure is laid out otherwise than on the first. */
const differing = (
  side: AbiDescription,
  name: string,
  wanted: (target: (typeof TARGETS)[number]) => boolean,
): readonly string[] => {
  const first = shapeOn(side, BASE, name);
  return TARGETS.filter((target) => {
    const shape = shapeOn(side, target.name, name);
    return wanted(target) && shape !== undefined && shape !== first;
  }).map(({ name: target }) => target);
};

const fieldsOf = (side: AbiDescription, name: string): readonly AbiField[] =>
  abiOn(side, BASE)?.layouts[name]?.fields ?? [];

const placed = (old: AbiStruct | undefined, struct: AbiStruct, member?: string) => {
  const line = (of: AbiStruct): number => (member && of.lines[member]) || of.line;
  return {
    new: { file: struct.file, line: line(struct) },
    ...(old && { old: { file: old.file, line: line(old) } }),
  };
};

const dependence = (sides: Sides, struct: AbiStruct, old: AbiStruct | undefined): AbiFinding[] => {
  const { name } = struct;
  const found: AbiFinding[] = [];
  const both = (wanted: (target: (typeof TARGETS)[number]) => boolean) =>
    [differing(sides.old, name, wanted), differing(sides.new, name, wanted)] as const;
  const paged = both(({ supported }) => supported);
  if (paged[0].length === 0 && paged[1].length > 0 && old !== undefined) {
    const message = `${name} depends on the page size: it is another on ${paged[1].join(', ')}`;
    const impact = 'nothing on the wire says how large pages are';
    const action = 'decide whether kernels of two page sizes may follow each other';
    found.push(
      note('PORT-01', 'warning', { message, impact, action, subject: name }, placed(old, struct)),
    );
  }
  const narrow = both(({ supported, pageShift }) => !supported && pageShift === 12);
  if (narrow[0].length === 0 && narrow[1].length > 0) {
    const message = `${name} depends on the width of a word: another on ${narrow[1].join(', ')}`;
    const impact = 'none on machines that KHO runs on';
    const action = 'use types of a fixed width';
    const severity = old === undefined ? 'info' : 'warning';
    found.push(
      note('PORT-02', severity, { message, impact, action, subject: name }, placed(old, struct)),
    );
  }
  return found;
};

const alignmentOf = ({ type, size }: AbiField): number => {
  if (/^(?:struct|union)\b|^char\b|^u8\b|\[/.test(type)) return 1;
  return [8, 4, 2].find((bytes) => size === bytes) ?? 1;
};

const members = (sides: Sides, struct: AbiStruct, old: AbiStruct | undefined): AbiFinding[] => {
  const { name } = struct;
  const before = fieldsOf(sides.old, name);
  const now = fieldsOf(sides.new, name);
  return now.flatMap((field) => {
    const known = before.find((each) => each.name === field.name);
    const subject = `${name}.${field.name}`;
    const places = placed(old, struct, field.name);
    if (field.bits !== undefined && known?.bits === undefined) {
      const message = `${name}: ${field.name} is a bit field`;
      const impact = 'its bits stand in another order on big-endian machines';
      const action = 'use masks on a number of fixed width';
      return [note('PORT-03', 'warning', { message, impact, action, subject }, places)];
    }
    const off = field.size > 0 && field.offset % alignmentOf(field) !== 0;
    const wasOff = known !== undefined && known.offset % alignmentOf(known) !== 0;
    if (off && !wasOff) {
      const message = `${name}: ${field.name} lies at ${field.offset}, where it is not aligned`;
      const impact = 'none on x86-64 and arm64; slow or forbidden elsewhere';
      const action = 'order members by size';
      return [note('PORT-04', 'warning', { message, impact, action, subject }, places)];
    }
    return [];
  });
};

/** Bytes between members, and behind the last, that belong to nobody. */
export const holesIn = (
  fields: readonly AbiField[],
  size: number,
): readonly { readonly offset: number; readonly bytes: number }[] => {
  const found: { offset: number; bytes: number }[] = [];
  let end = 0;
  for (const field of fields) {
    const { bits, offset, size: bytes } = field;
    const from = bits === undefined ? offset : Math.floor(bits.offset / 8);
    const to = bits === undefined ? offset + bytes : Math.ceil((bits.offset + bits.width) / 8);
    if (from > end) found.push({ offset: end, bytes: from - end });
    end = Math.max(end, to);
  }
  if (size > end && fields.length > 0 && !fields.at(-1)!.flexible) {
    found.push({ offset: end, bytes: size - end });
  }
  return found;
};

const holes = (sides: Sides, struct: AbiStruct, old: AbiStruct | undefined): AbiFinding[] => {
  const { name } = struct;
  const count = (side: AbiDescription): number => {
    const layout = abiOn(side, BASE)?.layouts[name];
    return layout === undefined ? 0 : holesIn(layout.fields, layout.size).length;
  };
  if (count(sides.new) <= (old === undefined ? 0 : count(sides.old))) return [];
  const message = `${name} has a hole`;
  const impact = 'bytes that nobody sets are handed over; what was in memory before leaks';
  const action = 'pack it, or name the room and set it to zero';
  return [
    note('PORT-05', 'warning', { message, impact, action, subject: name }, placed(old, struct)),
  ];
};

/** Everything about other machines that is new. */
export const portFindings = (sides: Sides): readonly AbiFinding[] =>
  sides.new.structs.flatMap((struct) => {
    const old = sides.old.structs.find(({ name }) => name === struct.name);
    return [
      ...dependence(sides, struct, old),
      ...members(sides, struct, old),
      ...holes(sides, struct, old),
    ];
  });
