/** What a report of `inspect` is made from: plain values, decided and complete. */

/** How an inspection ended. */
export type InspectVerdict = 'holds' | 'broken';

/** One thing that a rule found. */
export interface InspectFinding {
  /** Id of the rule. */
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'info';
  /** What was found, as a sentence without a full stop. */
  readonly message: string;
  /** The rule as one sentence. */
  readonly says: string;
}

/** The handover that was inspected. Addresses and sizes in bytes; undefined is not known. */
export interface InspectedHandover {
  readonly pageShift: number;
  readonly compatible: string;
  readonly fdt: number | undefined;
  readonly scratchArray: number | undefined;
  readonly tracker: number | undefined;
  readonly scratch: readonly { readonly phys: number; readonly bytes: number }[];
  readonly preserved: readonly { readonly phys: number; readonly order: number }[];
  readonly trackerPages: readonly { readonly phys: number; readonly level: number }[];
  readonly subtrees: readonly {
    readonly name: string;
    readonly phys: number;
    readonly bytes: number;
  }[];
}

/** What one kernel would make of the handover. */
export interface InspectedTake {
  /** Release series. */
  readonly kernel: string;
  readonly outcome: 'same' | 'refused' | 'ignored' | 'misread' | 'panic';
  readonly reasons: readonly string[];
}

/** One inspection. */
export interface InspectView {
  /** What was inspected, as the user named it. */
  readonly path: string;
  /** What it turned out to be: "capture", "page archive", "device tree", "debugfs copy". */
  readonly kind: string;
  readonly verdict: InspectVerdict;
  readonly handover: InspectedHandover;
  /** Generations that write such a handover, oldest first. */
  readonly writers: readonly string[];
  /** What each released kernel would do, oldest first; of the same page size and architecture. */
  readonly kernels: readonly InspectedTake[];
  /** What the blobs say, by name. */
  readonly blobs: ReadonlyMap<string, readonly string[]>;
  readonly findings: readonly InspectFinding[];
  /** Number of rules that had something to look at. */
  readonly rulesAsked: number;
}
