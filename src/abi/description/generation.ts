/**
 * What a generation of KHO is made of, as data.
 *
 * One value of `Generation` says everything that tells one kernel series from another: what is in
 * memory, what is written when, what a reader refuses, what user space sees. Nothing here computes;
 * a generation names a strategy (`tracker.kind`, `root.form`, `phases.kind`) and fills in its
 * numbers, and whoever reads or writes has one piece of code for every strategy.
 */
import type { BlobFormat } from './blob-format.ts';
import type { LuoFormat } from './luo-structs.ts';
import type { SubtreeNames } from './root-tree.ts';
import type { ScratchAlignment } from './scratch-array.ts';

/** How preserved memory is written down. */
export type TrackerFormat = RadixFormat | ChunkFormat | RangeFormat;

/** A radix tree of pages whose leaves are bitmaps of keys; see radix-key.ts. */
export interface RadixFormat {
  readonly kind: 'radix';
}

/** A list of chunk pages whose entries point to bitmaps; see chunk-list.ts. */
export interface ChunkFormat {
  readonly kind: 'chunks';
  /** Bytes of one bitmap: a number, or one page whatever its size. */
  readonly bitmapBytes: number | 'page';
  /**
   * Where chunks and bitmaps come from. Bitmaps out of the slab share their pages with objects that
   * have nothing to do with them.
   */
  readonly memory: 'slab' | 'pages';
}

/** Arrays of {u64 address, u64 bytes} in properties of the users' own nodes. */
export interface RangeFormat {
  readonly kind: 'ranges';
  /** The property, in any node of the tree. */
  readonly property: string;
}

/**
 * How the root is laid out.
 *
 * `users`: one tree that holds the users' own nodes, with their content. `nodes`: the same, made
 * from nodes that users built in memory, with one node for preserved memory. `pointers`: a page
 * with one node per user, which points to the user's blob.
 */
export type RootForm = 'users' | 'nodes' | 'pointers';

/** The root of a handover. */
export interface RootFormat {
  readonly form: RootForm;
  /** Where the address of the tracker stands (u64); undefined where ranges stand in the nodes. */
  readonly map: { readonly node: string; readonly property: string } | undefined;
  /**
   * `active`: users write it when handing over begins. `finalize`: written when finalized.
   * `in-place`: it lives from boot on and is edited with every subtree.
   */
  readonly written: 'active' | 'finalize' | 'in-place';
  /** Whether the tree is held in exactly one page. */
  readonly onePage: boolean;
  /**
   * When the tree is copied into a segment of the image, which the next kernel reads: when the
   * image is loaded, or right before the jump; undefined where the page itself is handed over.
   */
  readonly copied?: 'load' | 'jump';
  /** What a reader makes of a map of 0: nothing is preserved, or no handover at all. */
  readonly zeroMap: 'nothing' | 'refused';
}

/** Error numbers that contracts of this ABI name. */
export type Errno =
  'EBUSY' | 'EEXIST' | 'EINVAL' | 'ENOENT' | 'ENOMEM' | 'EOPNOTSUPP' | 'E2BIG' | 'ERANGE';

/** The states between boot and kexec. */
export interface Phases {
  /** `active` and `finalize`: somebody switches; `stateless`: nobody has to. */
  readonly kind: 'active' | 'finalize' | 'stateless';
  /** The file that is written to switch, or undefined. */
  readonly file: string | undefined;
  /** Switching on when it is on: an error, done anew, or nothing to switch. */
  readonly again: Errno | 'anew' | undefined;
  /** What switching off does: undefined where that is not possible. */
  readonly off:
    | {
        /** The answer when it is off already. */
        readonly whenOff: Errno | 'nothing';
        /** Whether all that was preserved so far is given up. */
        readonly dropsPreserved: boolean;
      }
    | undefined;
  /** What preserving answers while it is on; undefined where it is still possible. */
  readonly preserveWhenOn: Errno | undefined;
  /** When subtrees may be named: in a notifier that runs when it is switched on, or always. */
  readonly subtrees: 'notifier' | 'always';
  /** When an image that is loaded gets the handover: whatever the state, or only when it is on. */
  readonly attached: 'always' | 'when-on';
  /** Whether a jump switches on by itself what nobody switched on. */
  readonly jumpFinalizes?: true;
}

/** Files through which user space sees a handover. */
export interface UserFiles {
  readonly where: 'sysfs' | 'debugfs';
  /** Directory of what is handed over, and the files in it; `sub_fdts/` is a directory of blobs. */
  readonly outDirectory: string;
  readonly out: readonly string[];
  readonly inDirectory: string;
  readonly in: readonly string[];
}

/** What `kho_scratch=` may say, and which areas there are. */
export interface ScratchFormat {
  /** Sizes that the option names, in order. */
  readonly sizes: readonly ('lowmem' | 'global' | 'node')[];
  /** Scale in percent when the option is absent; undefined where KHO is then off. */
  readonly defaultPercent: number | undefined;
  /**
   * How `N%` is understood. `whole`: the text ends with %, and a decimal number is all of the rest.
   * `ahead`: a % stands behind a number in any base of C, and what follows is not looked at.
   */
  readonly percent: 'whole' | 'ahead' | 'never';
  /** `each`: every size must be above zero; `sum`: their sum; `none`: zero is no scratch. */
  readonly mustNotBeZero: 'each' | 'sum' | 'none';
  /** Whether text behind the last size is refused. */
  readonly wholeText: boolean;
  /**
   * `limited`: a number that does not fit 64 bits is the largest, and a unit needs a number.
   * Absent: what does not fit is lost, and a unit alone is zero.
   */
  readonly numbers?: 'limited';
  /** Which nodes get an area of their own. */
  readonly nodes: 'none' | 'online' | 'memory';
}

/** How the next kernel is told where the handover is. */
export interface BootProtocol {
  /** x86: type and bytes of the entry in the list of setup data. */
  readonly setupData: { readonly type: number; readonly bytes: number };
  /** x86: u64 fields of the entry, in order. */
  readonly setupFields: readonly string[];
  /** arm64: properties of /chosen, big-endian cells of address and length. */
  readonly chosen: readonly string[];
}

/** How a restored page is known to be one. */
export interface RestoreMark {
  /** u32 beside the order in the page's private word; undefined where only the order stands. */
  readonly magic: number | undefined;
}

/** Calls of the kernel's interface, each with the errors that it may answer. */
export type Contracts = Readonly<Record<string, readonly Errno[]>>;

/** One generation of KHO: a kernel series, or a patch series before the merge. */
export interface Generation {
  /** A patch series before the merge (`v3`) or a release series (`6.16`). */
  readonly id: string;
  /** Release series that ship it; empty before the merge. */
  readonly releases: readonly string[];
  /** The root's compatible string, written and demanded. */
  readonly compatible: string;
  readonly root: RootFormat;
  /** Properties of a subtree's node; undefined where subtrees are not pointers. */
  readonly subtree: SubtreeNames | undefined;
  readonly tracker: TrackerFormat;
  readonly phases: Phases;
  readonly files: UserFiles;
  readonly scratch: ScratchFormat;
  readonly scratchAlignment: ScratchAlignment;
  readonly boot: BootProtocol;
  readonly mark: RestoreMark;
  readonly contracts: Contracts;
  /** Blobs that the kernel or its modules write and read. */
  readonly blobs: readonly BlobFormat[];
  /** What the orchestrator's blob leads to; undefined where there is none. */
  readonly luo: LuoFormat | undefined;
}
