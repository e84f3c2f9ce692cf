/**
 * Declarations out of a row of tokens.
 *
 * Only what has a layout is looked at: structures, unions, enumerations, typedefs and static
 * asserts at the outermost level. Functions, variables and prototypes are stepped over without
 * being expanded, so that whole source files can be read. A declaration that cannot be parsed is a
 * problem with its place; reading goes on behind it.
 */
import { expand, MacroError, type MacroTable } from './macros.ts';
import type { AssertNode, EnumNode, RecordNode, TypeNode } from './declarations.ts';
import type { Token } from './lexer.ts';
import type { Preprocessed, Problem } from './preprocess.ts';
import { TypeParser, ParseError } from './parse-type.ts';

/** Everything declared in a set of files. */
export interface Declarations {
  readonly records: ReadonlyMap<string, RecordNode>;
  readonly enums: ReadonlyMap<string, EnumNode>;
  readonly typedefs: ReadonlyMap<string, TypeNode>;
  readonly asserts: readonly AssertNode[];
  /** Declarations that could not be parsed. */
  readonly problems: readonly Problem[];
}

const AGGREGATE = new Set(['struct', 'union', 'enum']);
const ASSERTS = new Set(['static_assert', '_Static_assert', 'BUILD_BUG_ON']);
const OPENING = new Set(['(', '[', '{']);
const CLOSING = new Set([')', ']', '}']);

/** Whether the `{` at `at` opens the members of a structure, union or enumeration. */
const opensMembers = (tokens: readonly Token[], start: number, at: number): boolean => {
  for (let back = at - 1; back >= start; back--) {
    const { text, kind } = tokens[back]!;
    if (AGGREGATE.has(text)) return true;
    if (text === ')') {
      // An attribute with arguments, or the end of a function's parameters.
      let depth = 1;
      while (depth > 0 && --back >= start) {
        if (tokens[back]!.text === ')') depth++;
        if (tokens[back]!.text === '(') depth--;
      }
      if (!tokens[back - 1]?.text.startsWith('__')) return false;
    } else if (kind !== 'name') {
      return false;
    }
  }
  return false;
};

/** Index behind the declaration that begins at `start`, and whether it is worth a look. */
const declarationEnd = (
  tokens: readonly Token[],
  start: number,
): { readonly end: number; readonly aggregate: boolean } => {
  let depth = 0;
  let aggregate = false;
  let body = false;
  for (let at = start; at < tokens.length; at++) {
    const { text } = tokens[at]!;
    if (OPENING.has(text)) {
      if (text === '{' && depth === 0) {
        const members = opensMembers(tokens, start, at);
        aggregate ||= members;
        body = !members && tokens[at - 1]?.text !== '=';
      }
      depth++;
    } else if (CLOSING.has(text)) {
      depth = Math.max(0, depth - 1);
      if (depth === 0 && body && text === '}') return { end: at + 1, aggregate };
    } else if (text === ';' && depth === 0) {
      return { end: at + 1, aggregate };
    }
  }
  return { end: tokens.length, aggregate };
};

class Parser extends TypeParser {
  readonly records = new Map<string, RecordNode>();
  readonly enums = new Map<string, EnumNode>();
  readonly typedefs = new Map<string, TypeNode>();
  readonly asserts: AssertNode[] = [];
  readonly problems: Problem[] = [];

  protected override record(record: RecordNode): void {
    if (!this.records.has(record.key)) this.records.set(record.key, record);
  }

  protected override enumeration(node: EnumNode): void {
    if (!this.enums.has(node.key)) this.enums.set(node.key, node);
  }

  protected override isTypedef(name: string): boolean {
    return this.typedefs.has(name);
  }

  /** Parses one declaration whose macros are expanded, from its first word that matters. */
  outermost(tokens: readonly Token[]): void {
    const from = this.#start(tokens);
    const first = tokens[from];
    if (first === undefined) return;
    this.over(tokens.slice(from));
    if (ASSERTS.has(first.text)) this.#assert(first);
    else if (first.text === 'typedef') this.#typedef();
    else this.specifiers();
  }

  #start(tokens: readonly Token[]): number {
    let depth = 0;
    return tokens.findIndex(({ text }) => {
      if (OPENING.has(text)) depth++;
      if (CLOSING.has(text)) depth--;
      return depth === 0 && (AGGREGATE.has(text) || ASSERTS.has(text) || text === 'typedef');
    });
  }

  #assert({ file, line }: Token): void {
    this.next();
    const inside = this.parentheses();
    let depth = 0;
    const comma = inside.findIndex(({ text }) => {
      if (OPENING.has(text)) depth++;
      if (CLOSING.has(text)) depth--;
      return depth === 0 && text === ',';
    });
    this.asserts.push({ condition: comma < 0 ? inside : inside.slice(0, comma), file, line });
  }

  #typedef(): void {
    this.next();
    const { type } = this.specifiers();
    while (!this.done && !this.is(';')) {
      const declared = this.declarator(type);
      if (declared.name !== undefined) this.typedefs.set(declared.name, declared.type);
      this.attributes();
      if (!this.is(',')) break;
      this.next();
    }
  }
}

const MAY_DECLARE = new Set(['typedef', ...ASSERTS]);

const isCall = (tokens: readonly Token[], start: number, table: MacroTable): boolean => {
  const { kind, text } = tokens[start]!;
  return kind === 'name' && table.lookup(text, start) !== undefined;
};

/** The first structure or union that a declaration names. */
const aboutOf = (tokens: readonly Token[]): string => {
  const at = tokens.findIndex(({ text }) => text === 'struct' || text === 'union');
  return at < 0 ? '' : `${tokens[at]!.text} ${tokens[at + 1]?.text ?? ''}`;
};

/** Parses what was preprocessed. */
export const parse = ({ tokens, macros }: Preprocessed): Declarations => {
  const parser = new Parser();
  for (let at = 0; at < tokens.length;) {
    const { end, aggregate } = declarationEnd(tokens, at);
    const first = tokens[at]!;
    if (aggregate || MAY_DECLARE.has(first.text) || isCall(tokens, at, macros)) {
      try {
        parser.outermost(expand(tokens.slice(at, end), macros, at));
      } catch (error) {
        if (!(error instanceof ParseError || error instanceof MacroError)) throw error;
        const { file, line } = error.token ?? first;
        const about = aboutOf(tokens.slice(at, end));
        parser.problems.push({ file, line, message: error.message, about });
      }
    }
    at = end;
  }
  return parser;
};
