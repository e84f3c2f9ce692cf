/**
 * The ABI of one kernel as data: what the header reader makes, what baselines hold, what is
 * compared.
 *
 * Plain JSON. Layouts are kept once for all targets that agree. Of sentences only what they are
 * about is kept: a digest, and the names that they point to.
 */

/** Marks a file of this kind. */
export const ABI_FORMAT = 'kho-abi';
export const ABI_VERSION = 1;

/** A place in the sources; line 0 where only the file is known. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** One member on a target. */
export interface AbiField {
  readonly name: string;
  readonly type: string;
  /** Offset in bytes. */
  readonly offset: number;
  /** Bytes; 0 for bit fields and flexible arrays. */
  readonly size: number;
  /** Bit fields: offset from the beginning of the record, and width, in bits. */
  readonly bits?: { readonly offset: number; readonly width: number };
  readonly flexible?: true;
  readonly members?: readonly AbiField[];
}

/** A record on a target. */
export interface AbiLayout {
  /** Bytes. */
  readonly size: number;
  readonly align: number;
  readonly fields: readonly AbiField[];
}

/** All targets that agree, and what they agree on. */
export interface TargetAbi {
  /** Names of targets. */
  readonly targets: readonly string[];
  readonly layouts: Readonly<Record<string, AbiLayout>>;
  /** Numbers that do not fit a double are decimal text. */
  readonly constants: Readonly<Record<string, number | string>>;
}

/** What is said of a member: a digest of the words, and what they point to. */
export interface Meaning {
  readonly digest: string;
  /** Structures that are named, and units (`bytes`, `pages`, `physical address`). */
  readonly about: readonly string[];
}

/** A record, apart from its layout. */
export interface AbiStruct extends Place {
  /** `struct x`. */
  readonly name: string;
  readonly packed: boolean;
  /** By member; missing where nothing is said. */
  readonly means: Readonly<Record<string, Meaning>>;
  readonly lines: Readonly<Record<string, number>>;
  /** Macros of the strings that have to change with it, as comments and their files say. */
  readonly ownedBy: readonly string[];
  /** Whether a static assert is about its size. */
  readonly sizeAsserted: boolean;
}

/** A constant or a string. */
export interface AbiConstant extends Place {
  readonly name: string;
  /** Text without quotes for a string; undefined for a number, whose value is the target's. */
  readonly text: string | undefined;
  /** Macros that it is made of. */
  readonly madeOf: readonly string[];
}

/** An enumeration, whose values are among the constants of each target. */
export interface AbiEnum extends Place {
  readonly name: string;
  readonly values: readonly string[];
}

/** How a reader needs something: an error without it, nothing without it, or nobody can tell. */
export type Need = 'required' | 'optional' | 'unread' | 'unknown';

/** Something in a tree. */
export interface TreeItem extends Place {
  /** `root` or the name of the subtree. */
  readonly tree: string;
  readonly kind: 'node' | 'property' | 'string';
  readonly name: string;
  readonly written: boolean;
  readonly read: Need;
  /** What a writer puts there, `8 bytes` or `struct x`, where that is plain to see. */
  readonly form: string | undefined;
  /** Whether it is known from sources that run, from a comment, or from a name alone. */
  readonly from: 'code' | 'comment' | 'name';
}

/** A comment that disagrees with the code. */
export interface DocFinding extends Place {
  readonly rule: string;
  /** What it is about; the same subject in another kernel is the same finding. */
  readonly subject: string;
  readonly message: string;
}

/** Whether a kind of source was there. */
export interface SourceSeen {
  readonly role: string;
  readonly files: readonly string[];
}

/** The ABI of one kernel. */
export interface AbiDescription {
  readonly format: typeof ABI_FORMAT;
  readonly version: typeof ABI_VERSION;
  /** Release or series, where it is known. */
  readonly kernel: string | undefined;
  readonly sources: readonly SourceSeen[];
  /** Kinds of sources that were not there. */
  readonly missing: readonly string[];
  readonly structs: readonly AbiStruct[];
  readonly enums: readonly AbiEnum[];
  readonly constants: readonly AbiConstant[];
  readonly targets: readonly TargetAbi[];
  readonly tree: readonly TreeItem[];
  readonly docs: readonly DocFinding[];
  /** Where reading failed or was not certain. */
  readonly problems: readonly (Place & { readonly message: string })[];
  /** Configuration options that decide about the ABI and that nobody knows. */
  readonly unknownOptions: readonly (Place & { readonly message: string })[];
  /** Static asserts that hold, and that do not, over all targets that KHO runs on. */
  readonly asserts: { readonly held: number; readonly failed: readonly Place[] };
}

/** What holds on a target, or undefined where it was not read for that. */
export const abiOn = ({ targets }: AbiDescription, target: string): TargetAbi | undefined =>
  targets.find((each) => each.targets.includes(target));

/** The text of a string constant, or undefined. */
export const stringOf = ({ constants }: AbiDescription, name: string): string | undefined =>
  constants.find((each) => each.name === name)?.text;
