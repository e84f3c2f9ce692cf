/**
 * Constant expressions of C, on 64-bit integers.
 *
 * A value knows whether it is unsigned, and unsigned values wrap at 2^64, as `unsigned long` does
 * on the machines that KHO runs on. What an expression needs from outside it asks: values of names,
 * and sizes of types. Macros are expanded before.
 */
import type { Token } from './lexer.ts';

/** What an expression may ask. */
export interface Surroundings {
  /** Value of a name that is no macro: an enumerator, or something of the target. */
  readonly value: (name: string, token: Token) => bigint | undefined;
  /** Bytes of a type, or undefined where the tokens are no type. */
  readonly sizeOf: (tokens: readonly Token[]) => number | undefined;
}

/** An expression that is no constant here, and where. */
export class EvaluationError extends Error {
  readonly token: Token | undefined;

  constructor(message: string, token: Token | undefined) {
    super(message);
    this.token = token;
  }
}

interface Value {
  readonly bits: bigint;
  readonly unsigned: boolean;
}

const WORD = 64;

const make = (bits: bigint, unsigned: boolean): Value => ({
  bits: unsigned ? BigInt.asUintN(WORD, bits) : BigInt.asIntN(WORD, bits),
  unsigned,
});

const flag = (holds: boolean): Value => make(holds ? 1n : 0n, false);

type Operator = (a: bigint, b: bigint) => bigint | boolean;

/** Operators by how tightly they bind, loosest first. */
const LEVELS: readonly Readonly<Record<string, Operator>>[] = [
  { '||': (a, b) => a !== 0n || b !== 0n },
  { '&&': (a, b) => a !== 0n && b !== 0n },
  { '|': (a, b) => a | b },
  { '^': (a, b) => a ^ b },
  { '&': (a, b) => a & b },
  { '==': (a, b) => a === b, '!=': (a, b) => a !== b },
  { '<': (a, b) => a < b, '>': (a, b) => a > b, '<=': (a, b) => a <= b, '>=': (a, b) => a >= b },
  { '<<': (a, b) => a << (b & 63n), '>>': (a, b) => a >> (b & 63n) },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => a * b, '/': (a, b) => a / b, '%': (a, b) => a % b },
];

/** log2 of a positive value, rounded down. */
const log2 = (bits: bigint): bigint => BigInt(bits.toString(2).length - 1);

const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, 0: 0, a: 7, b: 8, v: 11 };

/** Text of a string token, without quotes and escapes. */
export const stringValue = (text: string): string =>
  text
    .replace(/^(?:u8|[LuU])?"|"$/g, '')
    .replace(/\\x([\dA-Fa-f]+)|\\([0-7]{1,3})|\\([^])/g, (_, hex, octal, other: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      const code = ESCAPES[other];
      return code === undefined ? other : String.fromCharCode(code);
    });

const numberValue = (token: Token): Value => {
  const match = /^(0[xX][\dA-Fa-f']+|0[bB][01']+|[\d']+)([uUlL]*)$/.exec(token.text);
  if (match === null) throw new EvaluationError(`${token.text} is no whole number`, token);
  const digits = match[1]!.replaceAll("'", '');
  const octal = /^0\d/.test(digits);
  const bits = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  const fits = bits < 1n << 63n;
  return make(bits, /[uU]/.test(match[2]!) || !fits);
};

class Reader {
  readonly #tokens: readonly Token[];
  readonly #around: Surroundings;
  #at = 0;

  constructor(tokens: readonly Token[], around: Surroundings) {
    this.#tokens = tokens;
    this.#around = around;
  }

  whole(): Value {
    const value = this.#conditional();
    const left = this.#tokens[this.#at];
    if (left !== undefined) throw new EvaluationError(`cannot read ${left.text} here`, left);
    return value;
  }

  #is(text: string): boolean {
    return this.#tokens[this.#at]?.text === text;
  }

  #take(text: string): void {
    const token = this.#tokens[this.#at];
    if (token?.text !== text) {
      const found = token === undefined ? 'the end' : token.text;
      throw new EvaluationError(`wants ${text} before ${found}`, token ?? this.#tokens.at(-1));
    }
    this.#at++;
  }

  #conditional(): Value {
    const condition = this.#binary(0);
    if (!this.#is('?')) return condition;
    this.#at++;
    const yes = this.#conditional();
    this.#take(':');
    const no = this.#conditional();
    return make(condition.bits === 0n ? no.bits : yes.bits, yes.unsigned || no.unsigned);
  }

  #binary(level: number): Value {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const token = this.#tokens[this.#at];
      const operator = token && Object.hasOwn(operators, token.text) && operators[token.text];
      if (!token || !operator) return left;
      this.#at++;
      const right = this.#binary(level + 1);
      if (right.bits === 0n && (token.text === '/' || token.text === '%')) {
        throw new EvaluationError('divides by zero', token);
      }
      const unsigned = left.unsigned || right.unsigned;
      const result = operator(make(left.bits, unsigned).bits, make(right.bits, unsigned).bits);
      left = typeof result === 'boolean' ? flag(result) : make(result, unsigned);
    }
  }

  #unary(): Value {
    const token = this.#tokens[this.#at];
    if (token === undefined) {
      throw new EvaluationError('ends where a value is wanted', this.#tokens.at(-1));
    }
    this.#at++;
    switch (token.text) {
      case '+':
        return this.#unary();
      case '-': {
        const { bits, unsigned } = this.#unary();
        return make(-bits, unsigned);
      }
      case '~': {
        const { bits, unsigned } = this.#unary();
        return make(~bits, unsigned);
      }
      case '!':
        return flag(this.#unary().bits === 0n);
      case '(':
        return this.#parenthesis();
      default:
        return this.#primary(token);
    }
  }

  /** What stands in the parentheses that were just opened, which are closed behind it. */
  #inside(): readonly Token[] {
    const start = this.#at;
    for (let depth = 1; ; this.#at++) {
      const token = this.#tokens[this.#at];
      if (token === undefined) throw new EvaluationError('( is not closed', this.#tokens.at(-1));
      if (token.text === '(') depth++;
      if (token.text === ')' && --depth === 0) break;
    }
    return this.#tokens.slice(start, this.#at++);
  }

  /** A value in parentheses, or a cast, whose type only decides about the sign. */
  #parenthesis(): Value {
    const start = this.#at;
    const inside = this.#inside();
    const bytes = this.#around.sizeOf(inside);
    if (bytes !== undefined) {
      const { bits } = this.#unary();
      const unsigned = inside.some(({ text }) => /^(?:unsigned|u\d+|__u\d+|size_t)$/.test(text));
      const width = bytes * 8;
      return make(unsigned ? BigInt.asUintN(width, bits) : BigInt.asIntN(width, bits), unsigned);
    }
    this.#at = start;
    const value = this.#conditional();
    this.#take(')');
    return value;
  }

  #primary(token: Token): Value {
    const { kind, text } = token;
    if (kind === 'number') return numberValue(token);
    if (kind === 'char' && text.length > 2) {
      return make(
        BigInt(stringValue(`"${text.replace(/^[LuU]?'|'$/g, '')}"`).charCodeAt(0)),
        false,
      );
    }
    if (text === 'sizeof' || text === '_Alignof') return this.#sizeOf(token);
    if (/^(?:__)?(?:const_)?ilog2(?:_u(?:32|64))?$/.test(text) && this.#is('(')) {
      this.#at++;
      const { bits } = new Reader(this.#inside(), this.#around).whole();
      if (bits <= 0n) throw new EvaluationError(`${text} of ${bits}`, token);
      return make(log2(bits), false);
    }
    const bits = kind === 'name' ? this.#around.value(text, token) : undefined;
    if (bits !== undefined) return make(bits, /^(?:PAGE_SIZE|_{0,2}SIZE_MAX)$/.test(text));
    const what = kind === 'name' ? `the value of ${text} is not known` : `cannot read ${text}`;
    throw new EvaluationError(what, token);
  }

  #sizeOf(token: Token): Value {
    if (!this.#is('(')) throw new EvaluationError('sizeof wants parentheses', token);
    this.#at++;
    const inside = this.#inside();
    if (inside.length > 0 && inside.every(({ kind }) => kind === 'string')) {
      const length = inside.reduce((sum, { text }) => sum + stringValue(text).length, 0);
      return make(BigInt(length + 1), true);
    }
    const bytes = this.#around.sizeOf(inside);
    if (bytes !== undefined) return make(BigInt(bytes), true);
    const what = inside.map(({ text }) => text).join(' ');
    throw new EvaluationError(`the size of ${what} is not known`, token);
  }
}

/**
 * The value of an expression whose macros are expanded.
 *
 * @throws EvaluationError when it is no constant, or needs what nobody knows
 */
export const evaluate = (tokens: readonly Token[], around: Surroundings): bigint =>
  new Reader(tokens, around).whole().bits;

/** The text that string tokens make together, or undefined where something else is among them. */
export const concatenated = (tokens: readonly Token[]): string | undefined =>
  tokens.length > 0 && tokens.every(({ kind }) => kind === 'string')
    ? tokens.map(({ text }) => stringValue(text)).join('')
    : undefined;
