/**
 * Version strings: their families, what stands before what, and what a change of them covers.
 *
 * A family is a string without its number: `kho`, `luo-session`. A reader looks at the root's
 * first; one that differs there keeps everything else from being read. A composite string,
 * `kho-v4;radix-v1`, is one string with several families.
 */
import type { AbiConstant, AbiDescription } from '../headers/description.ts';
import { abiOn } from '../headers/description.ts';
import { FIRST_TARGET } from '../headers/targets.ts';

/** One versioned string, or number, of a kernel. */
export interface VersionString {
  readonly macro: AbiConstant;
  /** As a whole, with all its parts. */
  readonly text: string;
  readonly parts: readonly Part[];
}

/** One part of a string. */
export interface Part {
  readonly family: string;
  readonly version: number;
}

/** The family of the root's string. */
export const ROOT_FAMILY = 'kho';

/** Who is looked at before: a string that differs there keeps this one from being read. */
const PARENTS: Readonly<Record<string, string>> = {
  'luo-session': 'luo',
  'luo-flb': 'luo',
  memfd: 'luo',
  'reserve-mem': 'memblock',
};

/** A family, and all that are looked at before it, nearest first. */
export const chainOf = (family: string): readonly string[] => {
  if (family === ROOT_FAMILY) return [family];
  return [family, ...chainOf(PARENTS[family] ?? ROOT_FAMILY)];
};

const PART = /^([a-z][a-z0-9-]*)-v(\d+)$/;

/** The parts of a string, or undefined where it is no versioned string. */
export const partsOf = (text: string): readonly Part[] | undefined => {
  const parts = text.split(';').map((part) => PART.exec(part));
  if (parts.some((part) => part === null)) return undefined;
  return parts.map((part) => ({ family: part![1]!, version: Number(part![2]) }));
};

/** A family for a version that is a number: `KHO_KEXEC_METADATA_VERSION` is `kexec-metadata`. */
const numericFamily = (macro: string): string =>
  macro
    .replace(/^KHO_/, '')
    .replace(/_VERSION$/, '')
    .toLowerCase()
    .replaceAll('_', '-');

const isTest = (name: string): boolean => /_TEST_|^LIVEUPDATE_TEST/.test(name);

/** All versions of a kernel. */
export const versionsOf = (description: AbiDescription): readonly VersionString[] => {
  const numbers = abiOn(description, FIRST_TARGET.name)?.constants ?? {};
  return description.constants.flatMap((macro) => {
    const { name, text } = macro;
    if (text === undefined) {
      const number = numbers[name];
      if (!name.endsWith('_VERSION') || typeof number !== 'number') return [];
      const part = { family: numericFamily(name), version: number };
      return [{ macro, text: String(number), parts: [part] }];
    }
    const parts = partsOf(text);
    return parts === undefined ? [] : [{ macro, text, parts }];
  });
};

/** Families that belong to tests of the kernel, which no kernel depends on. */
export const isTestFamily = (family: string): boolean => /(?:^|-)test(?:-|$)/.test(family);

/** The versions of two kernels, side by side. */
export class Versions {
  readonly old: readonly VersionString[];
  readonly new: readonly VersionString[];
  readonly #oldText: ReadonlyMap<string, VersionString>;
  readonly #newText: ReadonlyMap<string, VersionString>;

  constructor(old: AbiDescription, next: AbiDescription) {
    this.old = versionsOf(old);
    this.new = versionsOf(next);
    this.#oldText = byFamily(this.old);
    this.#newText = byFamily(this.new);
  }

  /** The string of a family on either side. */
  of(family: string): { readonly old?: VersionString; readonly new?: VersionString } {
    const old = this.#oldText.get(family);
    const next = this.#newText.get(family);
    return { ...(old && { old }), ...(next && { new: next }) };
  }

  /** Whether both sides have the family, with another string. */
  differs(family: string): boolean {
    const { old, new: next } = this.of(family);
    return old !== undefined && next !== undefined && old.text !== next.text;
  }

  /** The first family that differs among those and all that are looked at before them. */
  covering(families: readonly string[]): string | undefined {
    const chain = [...new Set(families.flatMap(chainOf))];
    return chain.find((family) => this.differs(family));
  }

  /** Families of the strings that the macros are, on either side. */
  familiesOf(macros: readonly string[]): readonly string[] {
    const all = [...this.old, ...this.new].filter(({ macro }) => macros.includes(macro.name));
    return [...new Set(all.map(({ parts }) => parts[0]!.family))];
  }

  /** Families that are known on either side. */
  families(): readonly string[] {
    return [...new Set([...this.#oldText.keys(), ...this.#newText.keys()])];
  }
}

/** The string of each family; one of its own wins over a composite one. */
const byFamily = (all: readonly VersionString[]): ReadonlyMap<string, VersionString> => {
  const found = new Map<string, VersionString>();
  for (const version of all) {
    if (isTest(version.macro.name) && version.parts.length === 0) continue;
    version.parts.forEach(({ family }, at) => {
      const known = found.get(family);
      const better = known === undefined || (at === 0 && known.parts[0]!.family !== family);
      if (better) found.set(family, version);
    });
  }
  return found;
};
