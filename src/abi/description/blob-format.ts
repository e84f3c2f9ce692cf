/**
 * What a reader demands of a blob, and what it does when the blob does not fit.
 *
 * A format lists what is written and demanded; there is nothing optional in any of them. A child
 * that the reader's format does not list is passed over in silence.
 */

/** A node of a device tree. */
export interface NodeFormat {
  /** Undefined where the name is the user's own choice. */
  readonly name: string | undefined;
  /** What its string is; undefined where it has none. */
  readonly compatible: string | undefined;
  /** Further properties and their length in bytes; undefined where it varies. */
  readonly properties: readonly { readonly name: string; readonly bytes: number | undefined }[];
  /** Children that have to be there. */
  readonly children: readonly NodeFormat[];
  /** What every further child is; undefined where there are none. */
  readonly each: NodeFormat | undefined;
}

/** A field of a struct; numbers are little endian on every machine with KHO. */
export interface FieldFormat {
  readonly name: string;
  /** Offset and length in bytes. */
  readonly at: number;
  readonly bytes: number;
  /** What has to stand there: text (padded with NUL) or a number; undefined: anything. */
  readonly is: string | number | undefined;
}

/** Content of a blob: a device tree, or a struct. */
export type BlobContent =
  | { readonly form: 'tree'; readonly root: NodeFormat }
  | { readonly form: 'struct'; readonly bytes: number; readonly fields: readonly FieldFormat[] };

/** One blob. */
export interface BlobFormat {
  /** Name of its subtree. */
  readonly name: string;
  /** Who writes and reads it. A module's data waits for the module and is nobody else's concern. */
  readonly owner: 'kernel' | 'module';
  readonly content: BlobContent;
  /** What its reader does when it does not fit. */
  readonly misfit: 'ignored' | 'panic';
}
