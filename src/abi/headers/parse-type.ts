/**
 * Types, members and attributes out of a row of tokens.
 *
 * Attributes that do not change a layout are stepped over, whatever they are called, as long as
 * they look like attributes. `typeof` is not understood, and says so.
 */
import type { Attributes, EnumNode, FieldNode, RecordNode, TypeNode } from './declarations.ts';
import type { Token } from './lexer.ts';

/** Tokens that are no declaration we understand, and where. */
export class ParseError extends Error {
  readonly token: Token | undefined;

  constructor(message: string, token: Token | undefined) {
    super(message);
    this.token = token;
  }
}

/** Words that say nothing of a layout. */
const IDLE = ['const', 'volatile', 'static', 'extern', 'inline', '__inline', '__always_inline'];
const RARE = ['register', 'restrict', '_Atomic', '__extension__', 'auto', '__signed__'];
const QUALIFIERS = new RegExp(`^(?:${[...IDLE, ...RARE].join('|')})$`);
const SIZES = /^(?:unsigned|signed|short|long|int|char|void|float|double|_Bool|bool)$/;
const PLAIN = { packed: false, aligned: undefined } as const;

/** The plain name of a type that is made of several words. */
const basicName = (words: readonly string[]): string => {
  const count = (word: string): number => words.filter((each) => each === word).length;
  const unsigned = count('unsigned') > 0 ? 'unsigned ' : '';
  if (count('char') > 0) return `${unsigned}char`;
  if (count('short') > 0) return `${unsigned}short`;
  if (count('long') > 1) return `${unsigned}long long`;
  if (count('double') > 0) return 'double';
  if (count('long') > 0) return `${unsigned}long`;
  const other = words.find((word) => /^(?:void|float|_Bool|bool)$/.test(word));
  return other ?? `${unsigned}int`;
};

interface Declared {
  readonly name: string | undefined;
  readonly type: TypeNode;
  readonly at: Token | undefined;
  readonly attributes: Attributes;
}

/** Attributes of two places together; what comes later wins. */
const joined = (a: Attributes, b: Attributes): Attributes => ({
  packed: a.packed || b.packed,
  aligned: b.aligned ?? a.aligned,
});

/** A cursor over tokens that reads types; what it finds by the way goes to the methods below. */
export class TypeParser {
  #tokens: readonly Token[] = [];
  #at = 0;

  /** Takes a record with its members. */
  protected record(_record: RecordNode): void {}

  /** Takes an enumeration. */
  protected enumeration(_node: EnumNode): void {}

  /** Whether a name was made a type. */
  protected isTypedef(_name: string): boolean {
    return false;
  }

  /** Goes to the beginning of other tokens. */
  over(tokens: readonly Token[]): void {
    this.#tokens = tokens;
    this.#at = 0;
  }

  protected get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  protected is(text: string): boolean {
    return this.#tokens[this.#at]?.text === text;
  }

  protected next(): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new ParseError('ends too early', this.#tokens.at(-1));
    return token;
  }

  protected take(text: string): Token {
    const token = this.#tokens[this.#at];
    if (token?.text !== text) {
      const found = token?.text ?? 'the end';
      throw new ParseError(`wants ${text}, finds ${found}`, token ?? this.#tokens.at(-1));
    }
    this.#at++;
    return token;
  }

  /** What stands in the parentheses that come next. */
  protected parentheses(): readonly Token[] {
    this.take('(');
    const start = this.#at;
    for (let depth = 1; ;) {
      const { text } = this.next();
      if (text === '(') depth++;
      if (text === ')' && --depth === 0) return this.#tokens.slice(start, this.#at - 1);
    }
  }

  /** Steps over attributes and says what they do to a layout. */
  protected attributes(): Attributes {
    let packed = false;
    let aligned: readonly Token[] | undefined;
    for (;;) {
      const { kind, text } = this.#tokens[this.#at] ?? { kind: 'punct', text: '' };
      if (kind !== 'name' || !/^_{2,}|^_Alignas$|^noinline$/.test(text)) {
        return { packed, aligned };
      }
      if (this.isTypedef(text) || /^__(?:[us]|le|be)\d+$|^__signed__$/.test(text)) {
        return { packed, aligned };
      }
      this.#at++;
      const inside = this.is('(') ? this.parentheses() : [];
      if (text === '__packed') packed = true;
      if (text === '__aligned' || text === '_Alignas') aligned = inside;
      if (text === '__attribute__' || text === '__attribute') {
        const names = inside.map((token) => token.text);
        packed ||= names.some((name) => name === 'packed' || name === '__packed__');
        const at = names.findIndex((name) => name === 'aligned' || name === '__aligned__');
        if (at >= 0) aligned = this.#argument(inside, at + 1);
      }
    }
  }

  #argument(tokens: readonly Token[], at: number): readonly Token[] {
    if (tokens[at]?.text !== '(') return [];
    let depth = 0;
    const end = tokens.findIndex(({ text }, index) => {
      if (index < at) return false;
      if (text === '(') depth++;
      return text === ')' && --depth === 0;
    });
    return tokens.slice(at + 1, end);
  }

  /** Whether what comes next begins a type. */
  startsType(): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'name') return false;
    const { text } = token;
    if (SIZES.test(text) || QUALIFIERS.test(text)) return true;
    return /^(?:struct|union|enum)$/.test(text) || this.isTypedef(text);
  }

  /** The words before a declarator. */
  specifiers(): { readonly type: TypeNode; readonly attributes: Attributes } {
    const words: string[] = [];
    let found: TypeNode | undefined;
    let attributes: Attributes = PLAIN;
    for (;;) {
      attributes = joined(attributes, this.attributes());
      const token = this.#tokens[this.#at];
      if (token?.kind !== 'name') break;
      const { text } = token;
      if (QUALIFIERS.test(text)) {
        this.#at++;
      } else if (text === 'struct' || text === 'union') {
        found = this.#recordType(text);
      } else if (text === 'enum') {
        found = this.#enumType();
      } else if (text === 'typeof' || text === '__typeof__') {
        throw new ParseError(`${text} is not understood`, token);
      } else if (SIZES.test(text)) {
        words.push(text);
        this.#at++;
      } else if (found === undefined && words.length === 0) {
        found = { kind: 'basic', name: text };
        this.#at++;
      } else {
        break;
      }
    }
    if (words.length > 0) found = { kind: 'basic', name: basicName(words) };
    const here = this.#tokens[this.#at] ?? this.#tokens.at(-1);
    if (found === undefined) throw new ParseError(`no type before ${here?.text}`, here);
    return { type: found, attributes };
  }

  #recordType(kind: 'struct' | 'union'): TypeNode {
    const start = this.next();
    const before = this.attributes();
    const name = this.#tokens[this.#at]?.kind === 'name' ? this.next().text : undefined;
    if (!this.is('{')) return { kind: 'record', key: `${kind} ${name}` };
    const { file, line } = start;
    const key = name === undefined ? `${kind} at ${file}:${line}:${this.#at}` : `${kind} ${name}`;
    this.take('{');
    const fields: FieldNode[] = [];
    while (!this.is('}')) fields.push(...this.#members());
    const { line: end } = this.take('}');
    const after = this.attributes();
    const packed = before.packed || after.packed;
    const aligned = after.aligned ?? before.aligned;
    this.record({ kind, key, name, fields, packed, aligned, file, line, end });
    return { kind: 'record', key };
  }

  #enumType(): TypeNode {
    const { file, line } = this.take('enum');
    this.attributes();
    const name = this.#tokens[this.#at]?.kind === 'name' ? this.next().text : undefined;
    if (this.is(':')) {
      this.next();
      this.specifiers();
    }
    const key = name === undefined ? `enum at ${file}:${line}` : `enum ${name}`;
    if (!this.is('{')) return { kind: 'enum', key };
    this.take('{');
    const values: EnumNode['values'][number][] = [];
    while (!this.is('}')) {
      const token = this.next();
      this.attributes();
      const value = this.is('=') ? this.#until(',') : undefined;
      values.push({ name: token.text, value, file: token.file, line: token.line });
      if (this.is(',')) this.next();
    }
    this.take('}');
    this.attributes();
    this.enumeration({ key, name, values, file, line });
    return { kind: 'enum', key };
  }

  /** Tokens behind the next one up to `stop` or a closing brace, outside of parentheses. */
  #until(...stops: readonly string[]): readonly Token[] {
    this.next();
    const start = this.#at;
    for (let depth = 0; !this.done; this.#at++) {
      const { text } = this.#tokens[this.#at]!;
      if (depth === 0 && (stops.includes(text) || text === '}')) break;
      if (text === '(' || text === '[') depth++;
      if (text === ')' || text === ']') depth--;
    }
    return this.#tokens.slice(start, this.#at);
  }

  /** The members of one declaration in a record, with its semicolon. */
  #members(): FieldNode[] {
    if (this.is(';')) {
      this.next();
      return [];
    }
    const first = this.#tokens[this.#at];
    if (first && /^(?:static_assert|_Static_assert)$/.test(first.text)) {
      this.#until(';');
      this.take(';');
      return [];
    }
    const { type, attributes } = this.specifiers();
    const fields: FieldNode[] = [];
    while (!this.is(';')) {
      const { name, type: whole, at, attributes: own } = this.declarator(type);
      const bits = this.is(':') ? this.#until(',', ';', '__packed', '__aligned') : undefined;
      const all = joined(attributes, joined(own, this.attributes()));
      const { file, line } = at ?? first!;
      fields.push({
        name,
        type: whole,
        bits,
        ...all,
        file,
        line,
      });
      if (!this.is(',')) break;
      this.next();
    }
    const { file, line } = this.take(';');
    if (fields.length > 0) return fields;
    // A record without a name has its members looked up as if they were the outer record's own.
    return [{ name: undefined, type, bits: undefined, ...attributes, file, line }];
  }

  /** Lengths in brackets, outermost first. */
  #lengths(): (readonly Token[] | undefined)[] {
    const lengths: (readonly Token[] | undefined)[] = [];
    while (this.is('[')) {
      const start = this.#at + 1;
      for (let depth = 0; ;) {
        const { text } = this.next();
        if (text === '[') depth++;
        if (text === ']' && --depth === 0) break;
      }
      const inside = this.#tokens.slice(start, this.#at - 1);
      lengths.push(inside.length === 0 ? undefined : inside);
    }
    return lengths;
  }

  /** Stars, a name, lengths of arrays; functions are seen as such and not looked into. */
  declarator(base: TypeNode): Declared {
    let type = base;
    let attributes: Attributes = PLAIN;
    const note = (): void => {
      attributes = joined(attributes, this.attributes());
    };
    for (;;) {
      note();
      if (this.is('*')) type = { kind: 'pointer', to: type };
      else if (!QUALIFIERS.test(this.#tokens[this.#at]?.text ?? '')) break;
      this.next();
    }
    if (this.is('(')) return { ...this.#inParentheses(type), attributes };
    const at = this.#tokens[this.#at];
    const name = at?.kind === 'name' ? this.next().text : undefined;
    note();
    const lengths = this.#lengths();
    if (this.is('(')) {
      this.parentheses();
      type = { kind: 'function' };
    }
    for (const length of lengths.reverse()) type = { kind: 'array', of: type, length };
    return { name, type, at, attributes };
  }

  /** `(*name[2])(int)`: a pointer to whatever, or an array of such pointers. */
  #inParentheses(base: TypeNode): Omit<Declared, 'attributes'> {
    const inside = this.parentheses();
    this.attributes();
    const outer = this.#lengths();
    let type: TypeNode = base;
    if (this.is('(')) {
      this.parentheses();
      type = { kind: 'function' };
    }
    for (const length of outer.reverse()) type = { kind: 'array', of: type, length };
    const [tokens, at] = [this.#tokens, this.#at];
    this.over(inside);
    const { name, type: whole, at: where } = this.declarator(type);
    this.#tokens = tokens;
    this.#at = at;
    return { name, type: whole, at: where };
  }
}
