/** What a parser makes of C declarations: types, records, enumerations, asserts. */
import type { Token } from './lexer.ts';

/** A type as declared; lengths stay expressions, because they may depend on the target. */
export type TypeNode =
  | { readonly kind: 'basic'; readonly name: string }
  /** A record or enumeration by its key: `struct x`, or one of a kind for one without a name. */
  | { readonly kind: 'record' | 'enum'; readonly key: string }
  | { readonly kind: 'pointer'; readonly to: TypeNode }
  | { readonly kind: 'function' }
  | {
      readonly kind: 'array';
      readonly of: TypeNode;
      /** Undefined for a flexible array. */
      readonly length: readonly Token[] | undefined;
    };

/** Attributes that change a layout. */
export interface Attributes {
  readonly packed: boolean;
  /** The expression of `aligned`; empty for the largest alignment there is. */
  readonly aligned: readonly Token[] | undefined;
}

/** One member. */
export interface FieldNode extends Attributes {
  /** Undefined for a record or bit field without a name. */
  readonly name: string | undefined;
  readonly type: TypeNode;
  /** Width of a bit field. */
  readonly bits: readonly Token[] | undefined;
  readonly file: string;
  /** Line, from 1. */
  readonly line: number;
}

/** A structure or union with its members. */
export interface RecordNode extends Attributes {
  readonly kind: 'struct' | 'union';
  readonly key: string;
  readonly name: string | undefined;
  readonly fields: readonly FieldNode[];
  readonly file: string;
  /** First and last line, from 1. */
  readonly line: number;
  readonly end: number;
}

/** An enumeration. */
export interface EnumNode {
  readonly key: string;
  readonly name: string | undefined;
  readonly values: readonly {
    readonly name: string;
    /** Undefined: one more than the one before, 0 for the first. */
    readonly value: readonly Token[] | undefined;
    readonly file: string;
    readonly line: number;
  }[];
  readonly file: string;
  readonly line: number;
}

/** A static assert. */
export interface AssertNode {
  readonly condition: readonly Token[];
  readonly file: string;
  readonly line: number;
}
