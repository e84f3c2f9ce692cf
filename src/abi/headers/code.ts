/**
 * What source code does with the trees: which nodes and properties it writes, which it reads, and
 * whether it can do without one that it reads.
 *
 * Only calls of libfdt are looked at, and what directly follows them. A reader needs something when
 * the next condition after the call leads to an error (a negative answer, NULL, a panic, a jump to
 * a label that says error); where nothing of that kind follows, nobody can tell.
 */
import { basicExtent } from './builtins.ts';
import { concatenated } from './evaluate.ts';
import { END, expand, MacroError, type MacroTable } from './macros.ts';
import type { Need, TreeItem } from './description.ts';
import type { Token } from './lexer.ts';
import { FIRST_TARGET } from './targets.ts';

type Side = 'writes' | 'reads';

interface Call {
  readonly side: Side;
  readonly kind: TreeItem['kind'];
  /** Which argument names it. */
  readonly name: number;
  /** Which argument says what is written, where one does. */
  readonly value?: number;
}

const CALLS: Readonly<Record<string, Call>> = {
  fdt_begin_node: { side: 'writes', kind: 'node', name: 1 },
  fdt_add_subnode: { side: 'writes', kind: 'node', name: 2 },
  fdt_property: { side: 'writes', kind: 'property', name: 1, value: 3 },
  fdt_property_u32: { side: 'writes', kind: 'property', name: 1 },
  fdt_property_u64: { side: 'writes', kind: 'property', name: 1 },
  fdt_property_cell: { side: 'writes', kind: 'property', name: 1 },
  fdt_property_string: { side: 'writes', kind: 'property', name: 1 },
  fdt_setprop: { side: 'writes', kind: 'property', name: 2, value: 4 },
  fdt_setprop_u64: { side: 'writes', kind: 'property', name: 2 },
  fdt_setprop_u32: { side: 'writes', kind: 'property', name: 2 },
  fdt_setprop_string: { side: 'writes', kind: 'property', name: 2 },
  fdt_getprop: { side: 'reads', kind: 'property', name: 2 },
  fdt_getprop_namelen: { side: 'reads', kind: 'property', name: 2 },
  fdt_subnode_offset: { side: 'reads', kind: 'node', name: 2 },
  fdt_path_offset: { side: 'reads', kind: 'node', name: 1 },
  fdt_node_check_compatible: { side: 'reads', kind: 'string', name: 2 },
  kho_add_subtree: { side: 'writes', kind: 'node', name: 0 },
  kho_retrieve_subtree: { side: 'reads', kind: 'node', name: 0 },
};

/** Calls that are about the root tree, wherever they stand. */
const OF_ROOT = new Set(['kho_add_subtree', 'kho_retrieve_subtree']);

/** Arguments of the call whose `(` is at `open`, and the index behind its `)`. */
const argumentsOf = (
  tokens: readonly Token[],
  open: number,
): { readonly all: readonly Token[][]; readonly end: number } => {
  const all: Token[][] = [[]];
  let at = open + 1;
  for (let depth = 1; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (token.text === '(' || token.text === '[' || token.text === '{') depth++;
    if (token.text === ')' || token.text === ']' || token.text === '}') depth--;
    if (depth === 0) break;
    if (token.text === ',' && depth === 1) all.push([]);
    else all.at(-1)!.push(token);
  }
  return { all, end: at + 1 };
};

const LOOK_AHEAD = 90;
const SHORT = 40;

/** Where the statement ends that a condition decides about. */
const statementEnd = (tokens: readonly Token[], start: number): number => {
  let depth = 0;
  for (let at = start; at < Math.min(tokens.length, start + LOOK_AHEAD); at++) {
    const { text } = tokens[at]!;
    if (text === '{') depth++;
    if (text === '}' && --depth <= 0) return at;
    if (text === ';' && depth === 0) return at;
  }
  return Math.min(tokens.length, start + LOOK_AHEAD);
};

const isError = (tokens: readonly Token[]): boolean => {
  const text = tokens.map((token) => token.text).join(' ');
  return (
    /\breturn (?:- ?E\w+|ERR_PTR|NULL|false|err|ret|rc)\b/.test(text) ||
    /\bpanic \(|\bluo_restore_fail \(|\bBUG \(|\bgoto (?:\w*(?:err|fail|out)\w*)/.test(text) ||
    /\berr = - ?E\w+/.test(text)
  );
};

/** Whether a reader can do without what the call before `at` asked for. */
const needAfter = (tokens: readonly Token[], at: number, inCondition: boolean): Need => {
  let condition = at;
  if (!inCondition) {
    const end = Math.min(tokens.length, at + SHORT);
    while (condition < end && !/^(?:if|WARN_ON|while)$/.test(tokens[condition]!.text)) {
      // Another call before any condition: the condition is about both.
      if (tokens[condition]!.text === '}') return 'unknown';
      condition++;
    }
    if (condition >= end) return 'unknown';
    condition = argumentsOf(tokens, condition + 1).end;
  } else {
    // Out of the condition's own parentheses.
    for (let depth = 1; condition < tokens.length && depth > 0; condition++) {
      if (tokens[condition]!.text === '(') depth++;
      if (tokens[condition]!.text === ')') depth--;
    }
  }
  const statement = tokens.slice(condition, statementEnd(tokens, condition) + 1);
  if (isError(statement)) return 'required';
  const plain = statement.map(({ text }) => text).join(' ');
  return /\breturn ?(?:0|true)? ?;|\bcontinue ;|\bbreak ;/.test(plain) ? 'optional' : 'unknown';
};

/** What a name is when its macros are expanded, or undefined where it is no constant. */
const nameOf = (tokens: readonly Token[], macros: MacroTable): string | undefined => {
  try {
    return concatenated(expand(tokens, macros, END));
  } catch (error) {
    if (error instanceof MacroError) return undefined;
    throw error;
  }
};

/** Which variables of a file are pointers to what: the form of what a `sizeof(*x)` measures. */
const formOf = (
  tokens: readonly Token[],
  value: readonly Token[],
  at: number,
): string | undefined => {
  const names = value.filter(({ kind, text }) => kind === 'name' && text !== 'sizeof');
  const name = names.at(-1)?.text;
  if (name === undefined) return undefined;
  for (let back = at; back > 1; back--) {
    const token = tokens[back]!;
    const before = tokens[back - 1]!;
    const isDeclared = token.text === name && /^[*\w]+$/.test(before.text);
    if (!isDeclared || /^(?:return|sizeof)$/.test(before.text)) continue;
    const next = tokens[back + 1]?.text ?? '';
    if (!/^[;=,)[]$/.test(next)) continue;
    const words: string[] = [];
    for (let word = back - 1; word > 0 && words.length < 4; word--) {
      const { kind, text } = tokens[word]!;
      if (kind !== 'name' && text !== '*') break;
      if (text !== 'const') words.unshift(text);
    }
    const type = words.join(' ').replace(/ ?\*$/, '');
    const bytes = basicExtent(type, FIRST_TARGET)?.size;
    if (bytes !== undefined) return `${bytes} bytes`;
    return /^(?:struct|union) \w+$/.test(type) ? type : undefined;
  }
  return undefined;
};

/** What a file does with trees; `tree` is the one that it is about. */
export const treeItems = (
  tokens: readonly Token[],
  tree: string,
  macros: MacroTable,
): readonly TreeItem[] => {
  const items: TreeItem[] = [];
  tokens.forEach((token, at) => {
    const { text, file, line } = token;
    if (token.kind !== 'name' || !Object.hasOwn(CALLS, text)) return;
    if (tokens[at + 1]?.text !== '(') return;
    // A definition or a prototype has a type before it.
    const before = tokens[at - 1];
    if (before?.kind === 'name' && !/^(?:return|else)$/.test(before.text)) return;
    const { side, kind, name: which, value } = CALLS[text]!;
    const { all, end } = argumentsOf(tokens, at + 1);
    const name = nameOf(all[which] ?? [], macros)?.replace(/^\/(?=.)/, '');
    if (name === undefined || name === '' || name === '/') return;
    const of = OF_ROOT.has(text) ? 'root' : tree;
    const isIn = before?.text === '(' && /^(?:if|WARN_ON)$/.test(tokens[at - 2]?.text ?? '');
    // A kernel that finds no subtree of a name goes on without it.
    const need = text === 'kho_retrieve_subtree' ? 'optional' : needAfter(tokens, end, isIn);
    const read = side === 'reads' ? need : 'unread';
    const written = side === 'writes';
    const form = value === undefined ? undefined : formOf(tokens, all[value - 1] ?? [], at);
    items.push({ tree: of, kind, name, written, read, form, from: 'code', file, line });
  });
  return merged(items);
};

const STRENGTH: readonly Need[] = ['required', 'optional', 'unknown', 'unread'];

/**
 * One item for everything of one name: written by anybody, read as strictly as anybody reads it.
 */
export const merged = (items: readonly TreeItem[]): readonly TreeItem[] => {
  const all = new Map<string, TreeItem>();
  for (const item of items) {
    const key = `${item.tree} ${item.kind} ${item.name}`;
    const known = all.get(key);
    const stricter = (a: Need, b: Need): Need =>
      STRENGTH.indexOf(a) <= STRENGTH.indexOf(b) ? a : b;
    all.set(
      key,
      known === undefined
        ? item
        : {
            ...known,
            written: known.written || item.written,
            read: stricter(known.read, item.read),
            form: known.form ?? item.form,
          },
    );
  }
  return [...all.values()];
};
