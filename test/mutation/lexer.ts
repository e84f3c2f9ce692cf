/**
 * Tokens of compiled JavaScript: just enough to mutate code and never a word in a sentence.
 *
 * Comments and white space are left out. A template is one token with all that stands in its
 * `${…}`: templates are sentences.
 */

export type TokenKind = 'word' | 'number' | 'string' | 'template' | 'regex' | 'sign';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Offset of its first character. */
  readonly at: number;
  /** Offset behind its last character. */
  readonly end: number;
  /** Index of the bracket that belongs to this one; -1 for what is no bracket. */
  readonly mate: number;
}

const SPACE = /(?:\s+|\/\/[^\n]*|\/\*[^]*?\*\/)+/y;
const WORD = /#?[A-Za-z_$][\w$]*/y;
const NUMBER =
  /0[xX][\da-fA-F_]+n?|0[bB][01_]+n?|0[oO][0-7_]+n?|(?:\d[\d_]*\.?\d*(?:e[+-]?\d+)?)n?/y;
const STRING = /'(?:\\[^]|[^'\\\n])*'|"(?:\\[^]|[^"\\\n])*"/y;
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
const SIGNS = (
  '>>>= ... === !== **= <<= >>= >>> &&= ||= ??= => == != <= >= && || ?? ?. ++ -- += -= *= /= %= ' +
  '&= |= ^= << >> **'
).split(' ');

const BEFORE_REGEX = new Set(['return', 'typeof', 'case', 'in', 'of', 'do', 'else', 'void']);
const OPENING = new Map([
  [')', '('],
  [']', '['],
  ['}', '{'],
]);

const match = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
};

/** Offset behind the template that starts at `at`. */
const templateEnd = (text: string, at: number): number => {
  let next = at + 1;
  while (next < text.length && text[next] !== '`') {
    if (text[next] === '\\') next += 2;
    else if (text.startsWith('${', next)) next = substitutionEnd(text, next + 2);
    else next++;
  }
  return next + 1;
};

const substitutionEnd = (text: string, from: number): number => {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const c = text[at];
    if (c === '`') at = templateEnd(text, at) - 1;
    else if (c === "'" || c === '"') at += (match(STRING, text, at)?.length ?? 1) - 1;
    else if (c === '{') depth++;
    else if (c === '}' && depth-- === 0) return at + 1;
  }
  return text.length;
};

const mayBeRegex = (before: Token | undefined): boolean => {
  if (before === undefined) return true;
  if (before.kind === 'word') return BEFORE_REGEX.has(before.text);
  return before.kind === 'sign' && ![')', ']', '}'].includes(before.text);
};

const tokenAt = (text: string, at: number, before: Token | undefined): [TokenKind, string] => {
  if (text[at] === '`') return ['template', text.slice(at, templateEnd(text, at))];
  if (text[at] === '/' && mayBeRegex(before)) {
    const regex = match(REGEX, text, at);
    if (regex !== undefined) return ['regex', regex];
  }
  for (const [kind, pattern] of [
    ['word', WORD],
    ['number', NUMBER],
    ['string', STRING],
  ] as const) {
    const found = match(pattern, text, at);
    if (found !== undefined && found !== '') return [kind, found];
  }
  return ['sign', SIGNS.find((sign) => text.startsWith(sign, at)) ?? text[at]!];
};

/** The tokens of a source. */
export const tokensOf = (text: string): readonly Token[] => {
  const tokens: { -readonly [K in keyof Token]: Token[K] }[] = [];
  const open: number[] = [];
  let at = match(SPACE, text, 0)?.length ?? 0;
  while (at < text.length) {
    const [kind, found] = tokenAt(text, at, tokens.at(-1));
    const token = { kind, text: found, at, end: at + found.length, mate: -1 };
    if (kind === 'sign' && '([{'.includes(found)) open.push(tokens.length);
    const opening = kind === 'sign' ? OPENING.get(found) : undefined;
    if (opening !== undefined) {
      const mate = open.pop();
      if (mate === undefined || tokens[mate]!.text !== opening) {
        throw new Error(`offset ${at}: '${found}' closes nothing`);
      }
      token.mate = mate;
      tokens[mate]!.mate = tokens.length;
    }
    tokens.push(token);
    at = token.end;
    at += match(SPACE, text, at)?.length ?? 0;
  }
  return tokens;
};
