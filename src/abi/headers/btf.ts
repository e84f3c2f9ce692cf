/**
 * Types out of the BTF of a kernel image: what the compiler made of them.
 *
 * An ELF file of either byte order and either word size, or bare BTF. Only records and what their
 * members are made of is kept.
 *
 * Source: Documentation/bpf/btf.rst; the ELF specification, section headers.
 */

/** An image without BTF, or one that cannot be read. */
export class BtfError extends Error {}

/** A member as BTF has it. */
export interface BtfField {
  readonly name: string;
  /** Offset from the beginning of the record, in bits. */
  readonly offset: number;
  /** Bits; of a member that is no bit field, eight times its size. */
  readonly width: number;
  readonly isBitField: boolean;
  /** Members of a record that has no name of its own. */
  readonly members: readonly BtfField[] | undefined;
}

/** A record as BTF has it. */
export interface BtfRecord {
  /** Bytes. */
  readonly size: number;
  readonly fields: readonly BtfField[];
}

/** Records by `struct x`, and what else is known of the image. */
export interface Btf {
  readonly records: ReadonlyMap<string, BtfRecord>;
  /** Bytes of a pointer; undefined for bare BTF. */
  readonly wordBytes: 4 | 8 | undefined;
  readonly bigEndian: boolean;
  /** Versioned strings in the image: `kho-v4`. */
  readonly strings: readonly string[];
}

const BTF_MAGIC = 0xeb9f;
const KIND = { int: 1, pointer: 2, array: 3, struct: 4, union: 5, enum: 6, float: 16, enum64: 19 };
/** Kinds that stand for another type: typedef, volatile, const, restrict, type tag. */
const ALIASES = new Set([8, 9, 10, 11, 18]);
/** Words behind the first three of a type, by kind, where that does not depend on its length. */
const EXTRA: Readonly<Record<number, number>> = { 1: 1, 3: 3, 14: 1, 17: 1 };
const PER_MEMBER: Readonly<Record<number, number>> = { 4: 3, 5: 3, 6: 2, 13: 2, 15: 3, 19: 3 };

interface RawType {
  readonly name: number;
  readonly kind: number;
  readonly vlen: number;
  readonly isSplit: boolean;
  readonly sizeOrType: number;
  /** Where what belongs to the kind begins. */
  readonly at: number;
}

/** The section of that name in an ELF file, or undefined. */
const sectionOf = (view: DataView, bytes: Uint8Array, wanted: string) => {
  const wide = bytes[4] === 2;
  const little = bytes[5] === 1;
  const u16 = (at: number): number => view.getUint16(at, little);
  const u32 = (at: number): number => view.getUint32(at, little);
  const word = (at: number): number => (wide ? Number(view.getBigUint64(at, little)) : u32(at));
  const table = word(wide ? 40 : 32);
  const [entry, count, names] = (wide ? [58, 60, 62] : [46, 48, 50]).map(u16);
  const header = (index: number): number => table + index * entry!;
  const offset = (at: number): number => word(at + (wide ? 24 : 16));
  const length = (at: number): number => word(at + (wide ? 32 : 20));
  const strings = offset(header(names!));
  for (let index = 0; index < count!; index++) {
    const at = header(index);
    if (textAt(bytes, strings + u32(at)) === wanted) {
      return bytes.subarray(offset(at), offset(at) + length(at));
    }
  }
  return undefined;
};

const textAt = (bytes: Uint8Array, at: number): string => {
  const end = bytes.indexOf(0, at);
  return new TextDecoder('latin1').decode(bytes.subarray(at, end < 0 ? at : end));
};

/** One BTF section. */
class Section {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;
  readonly #strings: number;
  readonly #types: (RawType | undefined)[] = [undefined];
  readonly #wordBytes: number;

  constructor(bytes: Uint8Array, wordBytes: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = this.#view.getUint16(0, true) === BTF_MAGIC;
    this.#wordBytes = wordBytes;
    if (this.#view.getUint16(0, this.#little) !== BTF_MAGIC) throw new BtfError('is no BTF');
    const header = this.#u32(4);
    const [types, typeBytes, strings] = [8, 12, 16].map((at) => this.#u32(at));
    this.#strings = header + strings!;
    for (let at = header + types!; at < header + types! + typeBytes!;) {
      const info = this.#u32(at + 4);
      const kind = (info >>> 24) & 31;
      const vlen = info & 0xffff;
      const type = { name: this.#u32(at), kind, vlen, isSplit: info >>> 31 === 1 };
      this.#types.push({ ...type, sizeOrType: this.#u32(at + 8), at: at + 12 });
      at += 12 + 4 * ((EXTRA[kind] ?? 0) + (PER_MEMBER[kind] ?? 0) * vlen);
    }
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, this.#little);
  }

  #name(type: RawType): string {
    return textAt(this.#bytes, this.#strings + type.name);
  }

  /** What a type stands for. */
  #plain(id: number): RawType | undefined {
    let type = this.#types[id];
    for (let steps = 0; type !== undefined && ALIASES.has(type.kind) && steps < 64; steps++) {
      type = this.#types[type.sizeOrType];
    }
    return type;
  }

  /** Bytes of a type. */
  #size(id: number): number {
    const type = this.#plain(id);
    if (type === undefined) return 0;
    if (type.kind === KIND.pointer) return this.#wordBytes;
    if (type.kind === KIND.array) return this.#size(this.#u32(type.at)) * this.#u32(type.at + 8);
    const { int, struct, union, enum: small, float, enum64 } = KIND;
    return [int, struct, union, small, float, enum64].includes(type.kind) ? type.sizeOrType : 0;
  }

  #fields(type: RawType): readonly BtfField[] {
    return Array.from({ length: type.vlen }, (_, index) => {
      const at = type.at + 12 * index;
      const id = this.#u32(at + 4);
      const raw = this.#u32(at + 8);
      const bits = type.isSplit ? raw >>> 24 : 0;
      const inner = this.#plain(id);
      const isRecord = inner?.kind === KIND.struct || inner?.kind === KIND.union;
      const hidden = isRecord && inner.name === 0;
      return {
        name: textAt(this.#bytes, this.#strings + this.#u32(at)),
        offset: type.isSplit ? raw & 0xffffff : raw,
        width: bits === 0 ? this.#size(id) * 8 : bits,
        isBitField: bits !== 0,
        members: hidden ? this.#fields(inner) : undefined,
      };
    });
  }

  records(): ReadonlyMap<string, BtfRecord> {
    const found = new Map<string, BtfRecord>();
    for (const type of this.#types) {
      if (type === undefined || type.name === 0) continue;
      if (type.kind !== KIND.struct && type.kind !== KIND.union) continue;
      const key = `${type.kind === KIND.struct ? 'struct' : 'union'} ${this.#name(type)}`;
      // Of two types of one name only those that count are wanted, and they have one.
      if (!/ (?:kho|khoser|luo|memfd_luo)_/.test(key)) continue;
      found.set(key, { size: type.sizeOrType, fields: this.#fields(type) });
    }
    return found;
  }
}

/** Versioned strings that the image holds. */
const stringsIn = (bytes: Uint8Array): readonly string[] => {
  const found = new Set<string>();
  const text = new TextDecoder('latin1');
  const needle = [0x2d, 0x76];
  for (let at = bytes.indexOf(needle[0]!); at >= 0; at = bytes.indexOf(needle[0]!, at + 1)) {
    if (bytes[at + 1] !== needle[1]) continue;
    const around = text.decode(bytes.subarray(Math.max(0, at - 24), at + 8));
    const match = /(?:^|\0)((?:kho|luo|memfd|memblock|reserve-mem)[a-z-]*-v\d+)\0/.exec(around);
    if (match !== null) found.add(match[1]!);
  }
  return [...found].sort();
};

const isElf = (bytes: Uint8Array): boolean =>
  bytes.length > 64 && [0x7f, 0x45, 0x4c, 0x46].every((byte, at) => bytes[at] === byte);

/**
 * Reads an ELF file or bare BTF.
 *
 * @throws BtfError when it is neither, or an image without BTF
 */
export const readBtf = (bytes: Uint8Array): Btf => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (!isElf(bytes)) {
      if (bytes.length < 24 || ![0xeb9f, 0x9feb].includes(view.getUint16(0, true))) {
        throw new BtfError('is neither an ELF file nor BTF; name an uncompressed vmlinux');
      }
      const bigEndian = view.getUint16(0, true) !== BTF_MAGIC;
      const records = new Section(bytes, 8).records();
      return { records, wordBytes: undefined, bigEndian, strings: [] };
    }
    const wordBytes = bytes[4] === 2 ? 8 : 4;
    const section = sectionOf(view, bytes, '.BTF');
    if (section === undefined) {
      throw new BtfError('has no BTF; build the kernel with CONFIG_DEBUG_INFO_BTF=y');
    }
    const records = new Section(section, wordBytes).records();
    return { records, wordBytes, bigEndian: bytes[5] === 2, strings: stringsIn(bytes) };
  } catch (error) {
    if (error instanceof RangeError) throw new BtfError('is cut off');
    throw error;
  }
};
