/**
 * A kernel tree out of a description: headers and sources in words of our own that declare what the
 * description says. Lengths that depend on the page size are found again as expressions.
 */
import {
  abiOn,
  type AbiDescription,
  type AbiField,
  type AbiStruct,
  type TreeItem,
} from '#src/abi/headers/description';
import { TARGETS } from '#src/abi/headers/targets';
import { roleOf } from '#src/abi/headers/places';

/** Files by path. */
export type Tree = ReadonlyMap<string, string>;

const MACHINES = TARGETS.filter(({ supported }) => supported);

/** Expressions that a length or constant may be. */
const EXPRESSIONS: readonly (readonly [string, (size: number, shift: number) => number])[] = [
  ['PAGE_SIZE', (size) => size],
  ['(PAGE_SIZE / 8)', (size) => size / 8],
  ['((PAGE_SIZE - 8) / 8)', (size) => (size - 8) / 8],
  ['((PAGE_SIZE - 16) / 64)', (size) => Math.floor((size - 16) / 64)],
  ['(PAGE_SHIFT - 3)', (_, shift) => shift - 3],
  ['(PAGE_SHIFT + 3)', (_, shift) => shift + 3],
  ['(65 - PAGE_SHIFT)', (_, shift) => 65 - shift],
  [
    '(DIV_ROUND_UP(62 - 2 * PAGE_SHIFT, PAGE_SHIFT - 3) + 1)',
    (_, shift) => Math.ceil((62 - 2 * shift) / (shift - 3)) + 1,
  ],
];

/** The expression that has these values on the machines that KHO runs on. */
const fit = (valueOn: (target: string) => number | undefined): string => {
  const values = MACHINES.map(({ name }) => valueOn(name));
  if (values.every((value) => value === values[0])) return String(values[0]);
  const found = EXPRESSIONS.find(([, compute]) =>
    MACHINES.every(({ pageShift }, at) => compute(2 ** pageShift, pageShift) === values[at]),
  );
  if (found === undefined) throw new Error(`no expression for ${values.join(', ')}`);
  return found[0];
};

const lengthOf = (type: string): number | undefined => {
  const length = /\[(\d+)\]$/.exec(type)?.[1];
  return length === undefined ? undefined : Number(length);
};

const fieldText = (abi: AbiDescription, struct: string, field: AbiField): string => {
  const { name, type, bits, members } = field;
  if (members !== undefined) {
    const inner = members.map((each) => `\t\t${each.type} ${each.name};\n`).join('');
    return `\tunion {\n${inner}\t} ${name};\n`;
  }
  if (bits !== undefined) return `\t${type} ${name}:${bits.width};\n`;
  if (lengthOf(type) === undefined) return `\t${type} ${name};\n`;
  const length = fit((target) => {
    const fields = abiOn(abi, target)?.layouts[struct]?.fields ?? [];
    return lengthOf(fields.find((each) => each.name === name)?.type ?? '');
  });
  const symbol = abi.constants.find((constant) => {
    const value = abiOn(abi, MACHINES[0]!.name)?.constants[constant.name];
    const isLength = /_(?:LENGTH|LEN)$/.test(constant.name) && type.startsWith('char');
    return isLength && String(value) === length && /^(?:LIVEUPDATE|LUO)/.test(constant.name);
  });
  const flb = struct.includes('flb') ? 'LIVEUPDATE_FLB_COMPAT_LENGTH' : undefined;
  const said = length === '48' ? (flb ?? symbol?.name) : length === '8' ? symbol?.name : undefined;
  return `\t${type.replace(/\[.*$/, '')} ${name}[${said ?? length}];\n`;
};

const structText = (abi: AbiDescription, struct: AbiStruct): string => {
  const layout = abiOn(abi, MACHINES[0]!.name)!.layouts[struct.name]!;
  const said = Object.entries(struct.means).map(
    ([member, { about }]) => ` * @${member}: about ${about.join(' and ') || 'a plain value'}\n`,
  );
  const fields = layout.fields.map((field) => fieldText(abi, struct.name, field)).join('');
  const owner = struct.ownedBy.map((name) => ` * Changes with ${name}.\n`).join('');
  const comment = `/**\n * ${struct.name} - part of a handover\n${said.join('')} *\n${owner} */\n`;
  return `${comment}${struct.name} {\n${fields}}${struct.packed ? ' __packed' : ''};\n\n`;
};

const itemText = (abi: AbiDescription, item: TreeItem, at: number): string => {
  const macro = abi.constants.find(({ text }) => text === item.name)?.name;
  const name = macro ?? JSON.stringify(item.name);
  const type = item.form === undefined || item.form === '8 bytes' ? 'u64' : item.form;
  const size = item.form === '4 bytes' ? 'u32' : type;
  const subtree = item.tree === 'root' && item.kind === 'node';
  const write = subtree
    ? `kho_add_subtree(${name}, tree, 1);`
    : item.kind === 'node'
      ? `fdt_begin_node(tree, ${name});`
      : `fdt_property(tree, ${name}, &value${at}, sizeof(value${at}));`;
  const outcome = item.read === 'required' ? '-EINVAL' : '0';
  const read = subtree
    ? `kho_retrieve_subtree(${name}, &found);`
    : item.kind === 'node'
      ? `found = fdt_subnode_offset(tree, 0, ${name});\n\tif (found < 0)\n\t\treturn ${outcome};`
      : `found = fdt_getprop(tree, 0, ${name}, &length);\n\tif (!found)\n\t\treturn ${outcome};`;
  const reads = item.read === 'required' || item.read === 'optional';
  return [
    `static int item${at}(void *tree)\n{\n\t${size} value${at};\n`,
    item.written ? `\t${write}\n` : '',
    reads ? `\t${read}\n` : '',
    '\treturn 0;\n}\n\n',
  ].join('');
};

const EXPLICIT: Readonly<Record<string, string>> = {
  LUO_ABI_COMPAT_LEN: 'ALIGN(sizeof(LUO_ABI_COMPATIBLE), 8)',
  MEMFD_LUO_FOLIO_DIRTY: 'BIT(0)',
  MEMFD_LUO_FOLIO_UPTODATE: 'BIT(1)',
};

/** Files that declare what a description says. */
export const render = (abi: AbiDescription): Tree => {
  const files = new Map<string, string>();
  const add = (file: string, text: string): void =>
    void files.set(file, (files.get(file) ?? '') + text);
  const number = (name: string) =>
    fit((target) => abiOn(abi, target)?.constants[name] as number | undefined);
  for (const { name, text, file } of abi.constants) {
    const value = EXPLICIT[name] ?? (text === undefined ? number(name) : JSON.stringify(text));
    add(file, `#define ${name}\t${value}\n`);
  }
  for (const { name, values, file } of abi.enums) {
    add(file, `${name} {\n${values.map((each) => `\t${each} = ${number(each)},\n`).join('')}};\n`);
  }
  for (const struct of abi.structs) add(struct.file, structText(abi, struct));
  abi.tree
    .filter(({ from, kind }) => from === 'code' && kind !== 'string')
    .forEach((item, at) => add(item.file, itemText(abi, item, at)));
  for (const { files: paths } of abi.sources) {
    for (const path of paths) if (!files.has(path) && roleOf(path)) files.set(path, '/* none */\n');
  }
  files.set('Makefile', 'VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 0\nEXTRAVERSION =\n');
  return files;
};
