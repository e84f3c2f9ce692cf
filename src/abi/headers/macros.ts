/**
 * Macros: where each definition holds, and expansion as the C standard has it (arguments expanded
 * first, `#` and `##`, no expansion of a macro inside itself).
 *
 * A definition holds from its place to its `#undef`. A name that is used before any definition of
 * it was seen takes the first one, because headers are not always read in the order a compiler
 * would.
 */
import type { Token } from './lexer.ts';

/** One definition. */
export interface Macro {
  readonly name: string;
  /** Names of the parameters; undefined for a macro that takes none. */
  readonly parameters: readonly string[] | undefined;
  /** Whether the last parameter takes all further arguments. */
  readonly variadic: boolean;
  readonly body: readonly Token[];
  readonly file: string;
  /** Line, from 1. */
  readonly line: number;
}

interface Span {
  readonly macro: Macro;
  readonly from: number;
  to: number;
}

/** A place behind everything. */
export const END = Number.MAX_SAFE_INTEGER;

/** All definitions of a set of files, by the order in which they were met. */
export class MacroTable {
  readonly #spans = new Map<string, Span[]>();

  /** Takes a definition that holds from place `at` on. */
  define(macro: Macro, at: number): void {
    const spans = this.#spans.get(macro.name) ?? [];
    const last = spans.at(-1);
    if (last !== undefined && last.to > at) last.to = at;
    spans.push({ macro, from: at, to: Infinity });
    this.#spans.set(macro.name, spans);
  }

  /** Ends the definition that holds at place `at`. */
  undefine(name: string, at: number): void {
    const last = this.#spans.get(name)?.at(-1);
    if (last !== undefined && last.to > at) last.to = at;
  }

  /** The definition that holds at place `at`, strictly. */
  at(name: string, at: number): Macro | undefined {
    return this.#spans.get(name)?.find(({ from, to }) => from <= at && at < to)?.macro;
  }

  /** The definition to use at place `at`: the one that holds, or else the first one there is. */
  lookup(name: string, at: number): Macro | undefined {
    const spans = this.#spans.get(name);
    return spans === undefined ? undefined : (this.at(name, at) ?? spans[0]!.macro);
  }

  /** The last definition of every name, in the order of first sight. */
  all(): readonly Macro[] {
    return [...this.#spans.values()].map((spans) => spans.at(-1)!.macro);
  }
}

/** Expansion that went past all bounds, or a call that is not closed. */
export class MacroError extends Error {
  readonly token: Token;

  constructor(message: string, token: Token) {
    super(message);
    this.token = token;
  }
}

const TOKENS_MAX = 200_000;

/** Arguments of a call whose `(` is the next token of the reversed `input`, which loses them. */
const takeArguments = (input: Token[], caller: Token): Token[][] => {
  input.pop();
  const all: Token[][] = [[]];
  for (let depth = 1; ;) {
    const token = input.pop();
    if (token === undefined) throw new MacroError(`${caller.text}( is not closed`, caller);
    if (token.text === '(' || token.text === '{' || token.text === '[') depth++;
    if (token.text === ')' || token.text === '}' || token.text === ']') depth--;
    if (depth === 0) return all;
    if (token.text === ',' && depth === 1) all.push([]);
    else all.at(-1)!.push(token);
  }
};

const textOf = (tokens: readonly Token[]): string =>
  tokens.map(({ text, spaced }, at) => (spaced && at > 0 ? ` ${text}` : text)).join('');

/** Glues the last token of `out` to `next`. */
const paste = (out: Token[], next: Token): void => {
  const last = out.pop();
  if (last === undefined) {
    out.push(next);
    return;
  }
  const text = last.text + next.text;
  const kind = /^[A-Za-z_$]/.test(text) ? 'name' : /^\.?\d/.test(text) ? 'number' : last.kind;
  out.push({ ...last, text, kind });
};

/** The body of a macro with its arguments in place. */
const substitute = (
  macro: Macro,
  given: readonly (readonly Token[])[],
  expandAll: (tokens: readonly Token[]) => Token[],
): Token[] => {
  const parameters = macro.parameters ?? [];
  const raw = new Map<string, readonly Token[]>(
    parameters.map((name, at) => [name, given[at] ?? []]),
  );
  if (macro.variadic) {
    const rest = given.slice(parameters.length);
    const joined = rest.flatMap((each, at) =>
      at === 0 ? each : [{ ...macro.body[0]!, kind: 'punct' as const, text: ',' }, ...each],
    );
    raw.set('__VA_ARGS__', joined);
  }
  const out: Token[] = [];
  const { body } = macro;
  for (let at = 0; at < body.length; at++) {
    const token = body[at]!;
    const next = body[at + 1];
    const argument = raw.get(token.text);
    if (token.text === '#' && macro.parameters !== undefined && next && raw.has(next.text)) {
      const text = JSON.stringify(textOf(raw.get(next.text)!));
      out.push({ ...token, kind: 'string', text });
      at++;
    } else if (token.text === '##' && next !== undefined && out.length > 0) {
      const [head, ...tail] = raw.get(next.text) ?? [next];
      if (head !== undefined) paste(out, head);
      out.push(...tail);
      at++;
    } else if (argument === undefined) {
      out.push(token);
    } else {
      out.push(...(next?.text === '##' ? argument : expandAll(argument)));
    }
  }
  return out;
};

/**
 * `tokens` with every macro expanded that holds at place `at`.
 *
 * Tokens out of a macro have the place of its call.
 *
 * @throws MacroError when a call is not closed, or when expansion does not end
 */
export const expand = (tokens: readonly Token[], table: MacroTable, at: number): Token[] => {
  const input = [...tokens].reverse();
  const out: Token[] = [];
  let steps = 0;
  while (input.length > 0) {
    const token = input.pop()!;
    const macro = token.kind === 'name' ? table.lookup(token.text, at) : undefined;
    const isCall = macro?.parameters !== undefined;
    if (macro === undefined || token.from.includes(macro.name)) {
      out.push(token);
      continue;
    }
    if (isCall && input.at(-1)?.text !== '(') {
      out.push(token);
      continue;
    }
    if (++steps > TOKENS_MAX) throw new MacroError(`${macro.name} expands without end`, token);
    const given = isCall ? takeArguments(input, token) : [];
    const body = substitute(macro, given, (inner) => expand(inner, table, at));
    const { file, line } = token;
    for (let index = body.length - 1; index >= 0; index--) {
      const each = body[index]!;
      const from = [...each.from, ...token.from, macro.name];
      const spaced = index === 0 ? token.spaced : each.spaced;
      input.push({ ...each, file, line, spaced, first: false, from });
    }
  }
  return out;
};
