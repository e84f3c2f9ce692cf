/** Layouts of an ABI as a person reads them: offset, size, member, type, holes, what is said. */
import type { AbiDescription, AbiField, AbiLayout, AbiStruct } from '../abi/headers/description.ts';
import type { Colors } from './colors.ts';
import { wrap } from './counterexample.ts';

/** What there is to tell. */
export interface LayoutsReport {
  readonly name: string;
  readonly abi: AbiDescription;
  readonly target: string;
  readonly layouts: Readonly<Record<string, AbiLayout>>;
  readonly constants: Readonly<Record<string, number | string>>;
  /** Bytes that belong to no member, by structure. */
  readonly holes: Readonly<Record<string, readonly { offset: number; bytes: number }[]>>;
  /** What a comparison with BTF said, where one was asked for. */
  readonly btf: readonly string[] | undefined;
}

const NAME = 18;
const TYPE = 26;

const offsetText = ({ offset, bits }: AbiField): string =>
  bits === undefined ? String(offset) : `${offset}:${bits.offset % 8}`;

const sizeText = ({ size, bits, flexible }: AbiField): string =>
  bits === undefined ? (flexible ? 'any' : String(size)) : `${bits.width}b`;

const fieldLines = (field: AbiField, struct: AbiStruct): readonly string[] => {
  const { name, type, members } = field;
  const about = struct.means[name]?.about ?? [];
  const head = `  ${offsetText(field).padStart(6)} ${sizeText(field).padStart(6)}  `;
  const shown = name === '' ? '(no name)' : name;
  const body = `${head}${shown.padEnd(NAME)} ${type.padEnd(TYPE)}`.trimEnd();
  const tail = about.length === 0 ? [] : wrap(`→ ${about.join(', ')}`, 17);
  const inner = (members ?? []).map((each) => {
    const at = { ...each, offset: each.offset + field.offset };
    const numbers = `${offsetText(at).padStart(6)} ${sizeText(at).padStart(6)}`;
    return `  ${numbers}    ${each.name}: ${each.type}`;
  });
  return [body, ...tail, ...inner];
};

const structLines = (
  struct: AbiStruct,
  layout: AbiLayout,
  holes: LayoutsReport['holes'][string],
  colors: Colors,
): readonly string[] => {
  const packed = struct.packed ? ', packed' : '';
  const place = struct.line > 0 ? `${struct.file}:${struct.line}` : struct.file;
  const rows: { readonly at: number; readonly lines: readonly string[] }[] = [
    ...layout.fields.map((field) => ({
      at: field.bits === undefined ? field.offset : field.bits.offset / 8,
      lines: fieldLines(field, struct),
    })),
    ...holes.map(({ offset, bytes }) => ({
      at: offset,
      lines: [`  ${String(offset).padStart(6)} ${String(bytes).padStart(6)}  (hole)`],
    })),
  ];
  return [
    colors.bold(`${struct.name}, ${layout.size} bytes${packed}`),
    ...wrap(place, 2),
    ...(struct.ownedBy.length === 0
      ? ['  no version covers it']
      : wrap(`versioned by ${struct.ownedBy.join(', ')}`, 2)),
    ...rows.sort((a, b) => a.at - b.at).flatMap(({ lines }) => lines),
    '',
  ];
};

/** Everything, without a final newline. */
export const layoutsText = (report: LayoutsReport, colors: Colors): string => {
  const { name, abi, target, layouts, constants, holes, btf } = report;
  const release = abi.kernel === undefined ? '' : `, Linux ${abi.kernel}`;
  const lines = [colors.bold(`${name}${release}, on ${target}`), ''];
  for (const struct of abi.structs) {
    const layout = layouts[struct.name];
    if (layout !== undefined) {
      lines.push(...structLines(struct, layout, holes[struct.name] ?? [], colors));
    }
  }
  lines.push(colors.bold('Strings and constants'));
  for (const { name: constant, text } of abi.constants) {
    const value = text === undefined ? String(constants[constant]) : JSON.stringify(text);
    lines.push(`  ${constant.padEnd(34)} ${value}`);
  }
  const said = (heading: string, all: readonly string[]): void => {
    if (all.length === 0) return;
    lines.push('', colors.bold(heading), ...all.flatMap((each) => wrap(each, 2)));
  };
  said(
    'Comments that disagree with the code',
    abi.docs.map(({ rule, file, line, message }) => `${rule} ${file}:${line}: ${message}`),
  );
  said(
    'Not read for certain',
    [...abi.problems, ...abi.unknownOptions].map(
      ({ file, line, message }) => `${file}:${line}: ${message}`,
    ),
  );
  said('Not there', abi.missing);
  if (btf !== undefined) said('Against BTF', btf);
  const { held, failed } = abi.asserts;
  const asserts = `${held} static asserts hold, ${failed.length} fail`;
  lines.push('', `${abi.structs.length} structures, ${abi.constants.length} constants; ${asserts}`);
  return lines.join('\n');
};
