/**
 * Sizes and offsets of what was declared, for one target.
 *
 * The rules are those of the System V and ARM procedure call standards as compilers apply them:
 * members in order at their alignment, bit fields in units of their type, `packed` and `aligned`.
 * Everything is computed when asked for and kept; a record that contains itself, or a type that
 * nobody declared, is an error with the place of the member.
 */
import { basicExtent, builtinValue, type Extent } from './builtins.ts';
import type { FieldNode, RecordNode, TypeNode } from './declarations.ts';
import { evaluate, EvaluationError, type Surroundings } from './evaluate.ts';
import type { Token } from './lexer.ts';
import { END, expand, type MacroTable } from './macros.ts';
import { ParseError, TypeParser } from './parse-type.ts';
import type { Declarations } from './parse.ts';
import type { Target } from './targets.ts';

/** One member with its place. */
export interface FieldLayout {
  /** '' for a record or bit field without a name. */
  readonly name: string;
  /** As people write it: `u64`, `struct x`, `char[48]`. */
  readonly type: string;
  /** Offset in bytes; of a bit field that of the byte it begins in. */
  readonly offset: number;
  /** Bytes; 0 for a bit field and for a flexible array. */
  readonly size: number;
  /** Of a bit field: offset from the beginning of the record, and width, in bits. */
  readonly bits?: { readonly offset: number; readonly width: number };
  readonly flexible?: true;
  /** Members of a record that has no name of its own. */
  readonly members?: readonly FieldLayout[];
  readonly file: string;
  readonly line: number;
}

/** One record with its members. */
export interface RecordLayout {
  readonly kind: 'struct' | 'union';
  /** Bytes. */
  readonly size: number;
  readonly align: number;
  readonly fields: readonly FieldLayout[];
}

interface Whole extends RecordLayout {
  readonly extent: Extent;
}

const up = (value: number, to: number): number => Math.ceil(value / to) * to;

/** A sizeof or a cast asks this whether tokens are a type. */
class SizeParser extends TypeParser {
  readonly #typedefs: Declarations['typedefs'];
  readonly #target: Target;

  constructor(typedefs: Declarations['typedefs'], target: Target) {
    super();
    this.#typedefs = typedefs;
    this.#target = target;
  }

  protected override isTypedef(name: string): boolean {
    return this.#typedefs.has(name) || basicExtent(name, this.#target) !== undefined;
  }

  /** The type that the tokens are, or undefined. */
  type(tokens: readonly Token[]): TypeNode | undefined {
    this.over(tokens);
    if (!this.startsType()) return undefined;
    try {
      const { type } = this.declarator(this.specifiers().type);
      return this.done ? type : undefined;
    } catch (error) {
      if (error instanceof ParseError) return undefined;
      throw error;
    }
  }
}

/** Where members are put, one after the other. */
class Placer {
  readonly #isUnion: boolean;
  readonly #packed: boolean;
  readonly #target: Target;
  /** Bits used so far. */
  used = 0;
  /** Bits at the end of the largest member. */
  #largest = 0;
  align = 1;

  constructor({ kind, packed }: RecordNode, target: Target) {
    this.#isUnion = kind === 'union';
    this.#packed = packed;
    this.#target = target;
  }

  get bytes(): number {
    return up(Math.ceil(Math.max(this.used, this.#largest) / 8), this.align);
  }

  /** Puts a member; answers its offset in bytes. */
  member({ size, align }: Extent, packed: boolean, aligned: number | undefined): number {
    const own = this.#packed || packed ? 1 : align;
    const wanted = Math.max(own, aligned ?? 1);
    if (this.#isUnion) this.used = 0;
    const offset = up(Math.ceil(this.used / 8), wanted);
    this.align = Math.max(this.align, wanted);
    this.#end((offset + size) * 8);
    return offset;
  }

  /** Puts a bit field of `width` bits; answers its offset in bits. */
  bitField({ size, align }: Extent, width: number, named: boolean, packed: boolean): number {
    if (this.#isUnion) this.used = 0;
    const tight = this.#packed || packed;
    if (width === 0) {
      this.#end(up(this.used, align * 8));
      if (this.#target.aapcs) this.align = Math.max(this.align, align);
      return this.used;
    }
    const straddles = (this.used % (align * 8)) + width > size * 8;
    const offset = !tight && straddles ? up(this.used, align * 8) : this.used;
    if (!tight && (named || this.#target.aapcs)) this.align = Math.max(this.align, align);
    this.#end(offset + width);
    return offset;
  }

  #end(bits: number): void {
    this.used = bits;
    this.#largest = Math.max(this.#largest, bits);
  }
}

const LARGEST_ALIGNMENT = 16;

/** Layouts of one set of declarations on one target. */
export class Layouts implements Surroundings {
  readonly #declared: Declarations;
  readonly #macros: MacroTable;
  readonly #target: Target;
  readonly #sizes: SizeParser;
  readonly #records = new Map<string, Whole | 'being computed'>();
  readonly #enumerators = new Map<string, bigint | readonly Token[]>();

  constructor(declared: Declarations, macros: MacroTable, target: Target) {
    this.#declared = declared;
    this.#macros = macros;
    this.#target = target;
    this.#sizes = new SizeParser(declared.typedefs, target);
    for (const { values } of declared.enums.values()) {
      let last: readonly Token[] = [];
      let past = 0;
      for (const { name, value, file, line } of values) {
        past = value === undefined ? past + 1 : 0;
        last = value ?? last;
        const first = last.length === 0;
        const base = { file, line, first: false, spaced: false, from: [] };
        const punct = (text: string): Token => ({ ...base, kind: 'punct', text });
        const count = String(first ? past - 1 : past);
        const step: Token = { ...base, kind: 'number', text: count };
        const rest = past > 0 ? [punct('+'), step] : [];
        const whole = first ? [step] : [punct('('), ...last, punct(')'), ...rest];
        this.#enumerators.set(name, whole);
      }
    }
  }

  /** The value of a constant expression. */
  evaluate(tokens: readonly Token[]): bigint {
    return evaluate(tokens, this);
  }

  /** The value of a macro's body. */
  evaluateMacro(body: readonly Token[]): bigint {
    return evaluate(expand(body, this.#macros, END), this);
  }

  /** Enumerators, names of the target, constants of the user interface. */
  value = (name: string): bigint | undefined => {
    const known = this.#enumerators.get(name);
    if (known === undefined) return builtinValue(name, this.#target);
    if (typeof known === 'bigint') return known;
    // While it is being computed it has no value, so that one that needs itself is an error.
    this.#enumerators.delete(name);
    try {
      const value = evaluate(known, this);
      this.#enumerators.set(name, value);
      return value;
    } catch (error) {
      this.#enumerators.set(name, known);
      throw error;
    }
  };

  sizeOf = (tokens: readonly Token[]): number | undefined => {
    const type = this.#sizes.type(tokens);
    return type === undefined ? undefined : this.extent(type, tokens[0]).size;
  };

  /** Size and alignment of a type. */
  extent(type: TypeNode, at: Token | undefined): Extent {
    switch (type.kind) {
      case 'basic': {
        const alias = this.#declared.typedefs.get(type.name);
        const known = basicExtent(type.name, this.#target);
        if (known !== undefined) return known;
        if (alias !== undefined) return this.extent(alias, at);
        throw new EvaluationError(`the type ${type.name} is not known`, at);
      }
      case 'record':
        return this.record(type.key, at).extent;
      case 'enum':
        return { size: 4, align: 4 };
      case 'pointer': {
        const { wordBytes } = this.#target;
        return { size: wordBytes, align: wordBytes };
      }
      case 'array': {
        const { size, align } = this.extent(type.of, at);
        const count = type.length === undefined ? 0n : this.evaluate(type.length);
        return { size: size * Number(count), align };
      }
      case 'function':
        throw new EvaluationError('a function has no size', at);
    }
  }

  /** A type as people write it. */
  typeName(type: TypeNode): string {
    switch (type.kind) {
      case 'basic':
        return type.name;
      case 'record':
      case 'enum':
        return type.key.includes(' at ') ? `${type.key.split(' ')[0]} {…}` : type.key;
      case 'pointer':
        return `${this.typeName(type.to)} *`;
      case 'function':
        return 'function';
      case 'array': {
        const length = type.length === undefined ? '' : String(this.evaluate(type.length));
        return `${this.typeName(type.of)}[${length}]`;
      }
    }
  }

  /** The layout of a record. */
  record(key: string, at?: Token): Whole {
    const known = this.#records.get(key);
    if (known === 'being computed') throw new EvaluationError(`${key} contains itself`, at);
    if (known !== undefined) return known;
    const node = this.#declared.records.get(key);
    if (node === undefined) throw new EvaluationError(`${key} is not declared`, at);
    this.#records.set(key, 'being computed');
    try {
      const whole = this.#place(node);
      this.#records.set(key, whole);
      return whole;
    } catch (error) {
      this.#records.delete(key);
      throw error;
    }
  }

  #place(node: RecordNode): Whole {
    const placer = new Placer(node, this.#target);
    const fields = node.fields.flatMap((field) => this.#field(field, placer));
    const aligned = node.aligned && this.#alignment(node.aligned);
    placer.align = Math.max(placer.align, aligned ?? 1);
    const { kind } = node;
    const extent = { size: placer.bytes, align: placer.align };
    return { kind, ...extent, fields, extent };
  }

  #alignment(tokens: readonly Token[]): number {
    return tokens.length === 0 ? LARGEST_ALIGNMENT : Number(this.evaluate(tokens));
  }

  #field(field: FieldNode, placer: Placer): FieldLayout[] {
    const { name, type, bits, packed, file, line } = field;
    const place = { file, line };
    const at: Token = {
      kind: 'name',
      text: name ?? '',
      ...place,
      first: false,
      spaced: false,
      from: [],
    };
    const extent = this.extent(type, at);
    if (bits !== undefined) {
      const width = Number(this.evaluate(bits));
      const offset = placer.bitField(extent, width, name !== undefined, packed);
      if (name === undefined) return [];
      const span = { offset, width };
      const from = Math.floor(offset / 8);
      return [{ name, type: this.typeName(type), offset: from, size: 0, bits: span, ...place }];
    }
    const aligned = field.aligned && this.#alignment(field.aligned);
    const offset = placer.member(extent, packed, aligned);
    const flexible = type.kind === 'array' && type.length === undefined;
    const hidden = type.kind === 'record' && type.key.includes(' at ');
    return [
      {
        name: name ?? '',
        type: this.typeName(type),
        offset,
        size: flexible ? 0 : extent.size,
        ...(flexible ? { flexible } : {}),
        ...(hidden ? { members: this.record(type.key, at).fields } : {}),
        ...place,
      },
    ];
  }
}
