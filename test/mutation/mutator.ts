/**
 * The mutants of a compiled source: every small mistake that somebody could have made in it.
 *
 * Signs, constants and conditions are turned around; statements, rules and elements of lists are
 * left out; effects end before they begin. Sentences are left alone: strings, templates, comments,
 * regular expressions, `says`, `tell`, `shows`, what is handed to `report`, and functions that make
 * words. So are types and `sources`, which no run ever reads.
 */
import { tokensOf } from './lexer.ts';
import type { Token } from './lexer.ts';

/** One change of a text. */
export interface Mutant {
  /** Offsets of what is replaced. */
  readonly at: number;
  readonly end: number;
  readonly text: string;
  /** What the change is, for people. */
  readonly change: string;
}

const TURNED: Readonly<Record<string, string>> = {
  '===': '!==',
  '!==': '===',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '&&': '||',
  '||': '&&',
  '+=': '-=',
  '-=': '+=',
  '*': '/',
  true: 'false',
  false: 'true',
};
const SENTENCES = new Set(['tell', 'shows', 'says', 'sources']);
const LISTS = new Set(['rules', 'actions', 'on']);
const KEYWORDS = new Set(
  (
    'await break case class const continue default delete do else export for function if import ' +
    'in instanceof let new of return switch throw try typeof var void while yield'
  ).split(' '),
);
const LEAVING = new Set(['continue', 'break', 'return']);
const AFTER_TARGET = new Set(['.', '(', '=', '++', '--', '+=', '-=', '[', '|=', '&=', '??=']);
const CONSTANT = /^[A-Z][A-Z\d_]+$/;
const SHOWN_MAX = 60;

/** Names of the functions of a TypeScript source that make words. */
export const wordMakers = (typescript: string): ReadonlySet<string> => {
  const pattern =
    /\bconst (\w+) = \((?:(?!\): )(?:[^;{}]|\{[^{}]*\}))*\): string(?: \| undefined)? =>/g;
  return new Set([...typescript.matchAll(pattern)].map((found) => found[1]!));
};

class Mutator {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #words: Uint8Array;
  readonly #found = new Map<string, Mutant>();

  constructor(text: string, makers: ReadonlySet<string>) {
    this.#text = text;
    this.#tokens = tokensOf(text);
    this.#words = new Uint8Array(this.#tokens.length);
    this.#markWords(makers);
  }

  run(): readonly Mutant[] {
    for (let i = 0; i < this.#tokens.length; i++) {
      if (this.#words[i] === 1) continue;
      this.#turnSign(i);
      this.#turnNumber(i);
      this.#negate(i);
      this.#removeStatement(i);
      this.#removeElements(i);
      this.#skipEffect(i);
    }
    return [...this.#found.values()].sort((a, b) => a.at - b.at || a.end - b.end);
  }

  #is(i: number, ...texts: readonly string[]): boolean {
    const token = this.#tokens[i];
    const plain = token?.kind === 'word' || token?.kind === 'sign';
    return plain && texts.includes(token.text);
  }

  /** Index of the first token from `from` on its own level that is one of `ends`. */
  #until(from: number, ...ends: readonly string[]): number {
    for (let i = from; i < this.#tokens.length; i++) {
      if (this.#is(i, ...ends) || this.#is(i, ')', ']', '}')) return i;
      const { mate } = this.#tokens[i]!;
      if (mate > i) i = mate;
    }
    return this.#tokens.length;
  }

  /** Whether token `i` is the key of a property. */
  #isKey(i: number): boolean {
    return this.#is(i + 1, ':') && this.#is(i - 1, '{', ',');
  }

  #markWords(makers: ReadonlySet<string>): void {
    for (let i = 0; i < this.#tokens.length; i++) {
      const { kind, text, mate } = this.#tokens[i]!;
      if (kind === 'word' && SENTENCES.has(text) && this.#isKey(i)) {
        this.#words.fill(1, i, this.#until(i + 2, ','));
      } else if (kind === 'word' && makers.has(text) && this.#is(i - 1, 'const')) {
        this.#words.fill(1, i, this.#until(i, ';'));
      } else if (text === '(' && this.#is(i - 1, 'report') && this.#isCall(i - 1)) {
        this.#words.fill(1, i + 1, mate);
      } else if (this.#is(i, 'import')) {
        this.#words.fill(1, i, this.#until(i, ';'));
      }
    }
  }

  #isCall(i: number): boolean {
    return !this.#is(i - 1, '.', 'const', 'function');
  }

  /** Adds the mutant that puts `text` in the place of tokens `from` to before `to`. */
  #add(from: number, to: number, text: string, after = text): void {
    const at = this.#tokens[from]!.at;
    const { end } = this.#tokens[to - 1]!;
    const before = this.#text.slice(at, end).replace(/\s+/g, ' ');
    const shown = before.length > SHOWN_MAX ? `${before.slice(0, SHOWN_MAX - 1)}…` : before;
    const change = `${shown} → ${after}`;
    this.#found.set(`${at} ${end} ${text}`, { at, end, text, change });
  }

  /** Whether an operand ends right before token `i`, so that a sign there joins two. */
  #joins(i: number): boolean {
    const before = this.#tokens[i - 1];
    if (before === undefined) return false;
    if (before.kind === 'word') return !KEYWORDS.has(before.text);
    return before.kind !== 'sign' || [')', ']', '}'].includes(before.text);
  }

  #isText(i: number): boolean {
    return ['string', 'template'].includes(this.#tokens[i]?.kind ?? '');
  }

  #turnSign(i: number): void {
    const { kind, text } = this.#tokens[i]!;
    if (kind !== 'sign' && kind !== 'word') return;
    const turned = Object.hasOwn(TURNED, text) ? TURNED[text] : undefined;
    if (turned !== undefined && !this.#isKey(i) && !this.#is(i - 1, '.')) {
      this.#add(i, i + 1, turned);
    } else if ((text === '+' || text === '-') && this.#joins(i)) {
      if (this.#isText(i - 1) || this.#isText(i + 1)) return;
      this.#add(i, i + 1, text === '+' ? '-' : '+');
    } else if (text === '-') {
      this.#add(i, i + 2, ` ${this.#tokens[i + 1]!.text}`, this.#tokens[i + 1]!.text);
    } else if (text === '!' && !this.#isCondition(i)) {
      this.#add(i, i + 1, '', '(nothing)');
    }
  }

  /** Whether token `i` negates all of a condition, which is turned around as a whole. */
  #isCondition(i: number): boolean {
    if (!this.#is(i - 1, '(') || !this.#is(i - 2, 'if')) return false;
    return this.#until(i + 1, '&&', '||') === this.#tokens[i - 1]!.mate;
  }

  #turnNumber(i: number): void {
    const { kind, text } = this.#tokens[i]!;
    const value = Number(text);
    if (kind !== 'number' || !Number.isSafeInteger(value) || this.#is(i + 1, '**')) return;
    if (value === 1) this.#add(i, i + 1, '0');
    this.#add(i, i + 1, text.startsWith('0x') ? `0x${(value + 1).toString(16)}` : `${value + 1}`);
  }

  #negate(i: number): void {
    if (!this.#is(i, 'if') || !this.#is(i + 1, '(')) return;
    const close = this.#tokens[i + 1]!.mate;
    const condition = this.#text.slice(this.#tokens[i + 1]!.end, this.#tokens[close]!.at);
    const inside = this.#tokens.slice(i + 2, close);
    // One comparison alone is turned around by its sign already.
    const signs = inside.filter(({ text }) => TURNED[text] !== undefined || text === '!');
    if (signs.length === 1 && /^[!=]==$/.test(signs[0]!.text)) return;
    this.#add(i, close + 1, `if (!(${condition}))`, 'if (!(…))');
  }

  #startsStatement(i: number): boolean {
    if (i === 0 || this.#is(i - 1, ';', '{', 'else')) return true;
    if (this.#is(i - 1, '}')) return !this.#isElseOf(i);
    if (!this.#is(i - 1, ')')) return false;
    return this.#is(this.#tokens[i - 1]!.mate - 1, 'if', 'for', 'while');
  }

  #isElseOf(i: number): boolean {
    return this.#is(i, 'else', 'while', 'catch', 'finally');
  }

  #removeStatement(i: number): void {
    const { kind, text } = this.#tokens[i]!;
    if (kind !== 'word' || !this.#startsStatement(i)) return;
    const leaves = LEAVING.has(text) && this.#is(i + 1, ';');
    const does = !KEYWORDS.has(text) && this.#is(i + 1, ...AFTER_TARGET);
    if (!leaves && !does) return;
    const end = this.#until(i, ';');
    if (this.#is(end, ';')) this.#add(i, end + 1, ';', '(removed)');
  }

  /** Takes rules, actions and the like out of the list that token `i` opens. */
  #removeElements(i: number): void {
    if (!this.#is(i, '[')) return;
    const close = this.#tokens[i]!.mate;
    const key = this.#is(i - 1, ':') ? this.#tokens[i - 2]!.text : '';
    const named = this.#is(i - 1, '=') && CONSTANT.test(this.#tokens[i - 2]!.text);
    if (!LISTS.has(key) && !named) return;
    const elements: [number, number][] = [];
    for (let from = i + 1; from < close;) {
      const to = this.#until(from, ',');
      elements.push([from, to]);
      from = to + 1;
    }
    if (key === 'on' && elements.length < 2) return;
    for (const [from, to] of elements) {
      if (!LISTS.has(key) && !this.#isRule(from)) continue;
      this.#add(from, this.#is(to, ',') ? to + 1 : to, '', '(left out)');
    }
  }

  #isRule(i: number): boolean {
    const first = this.#is(i, '...') ? i + 1 : i;
    if (this.#is(first, '{')) return this.#is(first + 2, ':');
    return this.#tokens[first]!.kind === 'word' && CONSTANT.test(this.#tokens[first]!.text);
  }

  /** An effect that ends before it begins, and one that is a single expression without it. */
  #skipEffect(i: number): void {
    if (!this.#is(i, '=>')) return;
    if (this.#is(i + 1, '{')) {
      if (this.#propertyOf(i) !== 'effect' || this.#is(i + 2, '}')) return;
      const { at } = this.#tokens[i + 2]!;
      const mutant = { at, end: at, text: 'return; ', change: 'effect → (nothing)' };
      this.#found.set(`${at} return`, mutant);
      return;
    }
    const end = this.#until(i + 1, ',', ';');
    if (this.#propertyOf(i) === 'effect' || this.#sets(i + 1, end)) {
      this.#add(i + 1, end, 'void 0', '(nothing)');
    }
  }

  /** Name of the property that the arrow at `i` stands in, or ''. */
  #propertyOf(i: number): string {
    let at = i;
    while (at > 0) {
      at--;
      const { mate } = this.#tokens[at]!;
      if (mate >= 0 && mate < at) at = mate;
      else if (this.#is(at, ';', '{', ',') && this.#is(at + 2, ':')) {
        return this.#tokens[at + 1]!.text;
      } else if (this.#is(at, ';', '{')) return '';
    }
    return '';
  }

  #sets(from: number, to: number): boolean {
    for (let i = from; i < to; i++) {
      if (this.#is(i, 'set') && this.#is(i - 1, '.') && this.#is(i + 1, '(')) return true;
    }
    return false;
  }
}

/** The mutants of compiled JavaScript, in the order of the text. */
export const mutantsOf = (
  javascript: string,
  makers: ReadonlySet<string> = new Set(),
): readonly Mutant[] => new Mutator(javascript, makers).run();

/** A text with one change made. */
export const mutated = (text: string, mutant: Mutant): string =>
  text.slice(0, mutant.at) + mutant.text + text.slice(mutant.end);
