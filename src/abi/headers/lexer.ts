/**
 * Tokens and comments of a C file, each with its place.
 *
 * Invariant: never throws; a character that no C token begins with is a token of its own, which
 * whoever parses stumbles over where it matters. A spliced line (backslash, newline) is white
 * space, lines are still counted as an editor counts them.
 */

/** One file as read: a path to name it by, and its text. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

export type TokenKind = 'name' | 'number' | 'string' | 'char' | 'punct';

/** One token. */
export interface Token {
  readonly kind: TokenKind;
  /** As written; strings and characters with their quotes. */
  readonly text: string;
  readonly file: string;
  /** Line, from 1. */
  readonly line: number;
  /** Whether it is the first of a logical line: a `#` there begins a directive. */
  readonly first: boolean;
  /** Whether white space stands before it: `#define A (b)` is no function. */
  readonly spaced: boolean;
  /** Macros that it came out of, which are not expanded in it again. */
  readonly from: readonly string[];
}

/** One comment, without its marks. */
export interface Comment {
  readonly file: string;
  /** First and last line, from 1. */
  readonly line: number;
  readonly end: number;
  /** Lines without the leading ` * `, joined by newlines. */
  readonly text: string;
  /** Whether it opens with two stars: documentation. */
  readonly isDoc: boolean;
}

/** A file as tokens and comments. */
export interface Lexed {
  readonly path: string;
  readonly tokens: readonly Token[];
  readonly comments: readonly Comment[];
}

const SPACE = /(?:[ \t\r\f\v]|\\\r?\n)+/y;
const NEWLINE = /\n/y;
const COMMENT = /\/\/(?:\\\r?\n|[^\n])*|\/\*[^]*?(?:\*\/|$)/y;
const KINDS: readonly (readonly [TokenKind, RegExp])[] = [
  ['name', /[A-Za-z_$][\w$]*/y],
  ['number', /\.?\d(?:[eEpP][+-]|[\w.])*/y],
  ['string', /(?:u8|[LuU])?"(?:\\[^]|[^"\\\n])*"?/y],
  ['char', /[LuU]?'(?:\\[^]|[^'\\\n])*'?/y],
  ['punct', /\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||##|[-+*/%&|^]=|[^]/y],
];

const NO_MACROS: readonly string[] = [];

const matchAt = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
};

const linesIn = (text: string): number => {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
};

/** The text of a comment as a person reads it. */
const commentText = (raw: string): string =>
  raw
    .replace(/^\/\/ ?|^\/\*\*?|\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\*( ?)/, '').trimEnd())
    .join('\n');

/** A string or character wins over the name that its prefix looks like. */
const PREFIXED = /(?:u8|[LuU])?["']/y;

const tokenAt = (text: string, at: number): readonly [TokenKind, string] => {
  const quoted = matchAt(PREFIXED, text, at) !== undefined;
  for (const [kind, pattern] of KINDS) {
    if (quoted && kind === 'name') continue;
    const found = matchAt(pattern, text, at);
    if (found !== undefined) return [kind, found];
  }
  return ['punct', text[at]!];
};

/** Splits a file. */
export const lex = ({ path, text }: SourceText): Lexed => {
  const tokens: Token[] = [];
  const comments: Comment[] = [];
  let line = 1;
  let first = true;
  let spaced = false;
  for (let at = 0; at < text.length;) {
    const space = matchAt(SPACE, text, at);
    const comment = space === undefined ? matchAt(COMMENT, text, at) : undefined;
    const skipped = space ?? comment ?? matchAt(NEWLINE, text, at);
    if (skipped !== undefined) {
      if (skipped === '\n') first = true;
      const lines = linesIn(skipped);
      if (comment !== undefined) {
        const isDoc = /^\/\*\*(?!\/)/.test(comment);
        comments.push({ file: path, line, end: line + lines, text: commentText(comment), isDoc });
      }
      line += lines;
      at += skipped.length;
      spaced = true;
      continue;
    }
    const [kind, found] = tokenAt(text, at);
    tokens.push({ kind, text: found, file: path, line, first, spaced, from: NO_MACROS });
    line += linesIn(found);
    at += found.length;
    first = false;
    spaced = false;
  }
  return { path, tokens, comments };
};

/** Line, from 1, of an offset in a text. */
export const lineAt = (text: string, offset: number): number => linesIn(text.slice(0, offset)) + 1;
