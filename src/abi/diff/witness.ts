/**
 * Bytes that are read differently: one structure as its writer leaves it, and what the other kernel
 * makes of that; and trees that lack what a reader demands.
 *
 * Every member is given bytes of its own (its number, counted from 1, in every byte), so that a
 * value shows where it came from; 0xee is what lies behind the structure.
 */
import {
  abiOn,
  type AbiDescription,
  type AbiField,
  type AbiLayout,
} from '../headers/description.ts';
import { COMPARED } from './wire.ts';

/** One member as it was written and as it is read, in hexadecimal, lowest address first. */
export interface Reading {
  readonly member: string;
  /** '' where the writer has no such member. */
  readonly wrote: string;
  readonly reads: string;
}

/** One structure that is read differently. */
export interface ByteWitness {
  readonly struct: string;
  /** Machine on which it shows. */
  readonly target: string;
  readonly writerBytes: number;
  readonly readerBytes: number;
  readonly readings: readonly Reading[];
}

const BEHIND = 0xee;
/** Of a long member, so many bytes at its beginning and at its end. */
const SHOWN_BYTES = 6;
const SHOWN_MEMBERS = 12;

/** Where the bits of a member are. */
const spanOf = ({ bits, offset, size }: AbiField): readonly [from: number, count: number] =>
  bits === undefined ? [offset * 8, size * 8] : [bits.offset, bits.width];

const hex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

/** The bits of a member, lowest first, as hexadecimal bytes. */
const taken = (memory: Uint8Array, field: AbiField): string => {
  const [from, count] = spanOf(field);
  const bytes = new Uint8Array(Math.ceil(count / 8));
  for (let bit = 0; bit < count; bit++) {
    const at = from + bit;
    const value = ((memory[at >> 3] ?? BEHIND) >> (at & 7)) & 1;
    bytes[bit >> 3]! |= value << (bit & 7);
  }
  if (bytes.length <= 2 * SHOWN_BYTES) return hex(bytes);
  return `${hex(bytes.subarray(0, SHOWN_BYTES))} … ${hex(bytes.subarray(-SHOWN_BYTES))}`;
};

/** Memory with the structure as its writer leaves it. */
const written = ({ size, fields }: AbiLayout): Uint8Array => {
  const memory = new Uint8Array(size);
  fields.forEach(({ bits, offset, size: bytes }, at) => {
    const mark = (at + 1) & 0xff;
    if (bits === undefined) memory.fill(mark, offset, offset + bytes);
    else {
      for (let bit = 0; bit < bits.width; bit++) {
        const where = bits.offset + bit;
        memory[where >> 3]! |= ((mark >> (bit & 7)) & 1) << (where & 7);
      }
    }
  });
  return memory;
};

const compare = (
  name: string,
  target: string,
  writer: AbiLayout,
  reader: AbiLayout,
): ByteWitness | undefined => {
  const memory = written(writer);
  const readings = reader.fields.flatMap((field): Reading[] => {
    const reads = taken(memory, field);
    const of = writer.fields.find((each) => each.name === field.name);
    const wrote = of === undefined ? '' : taken(memory, of);
    const sameSize = of !== undefined && of.size === field.size;
    return wrote === reads && sameSize ? [] : [{ member: field.name, wrote, reads }];
  });
  if (readings.length === 0 && writer.size === reader.size) return undefined;
  const [writerBytes, readerBytes] = [writer.size, reader.size];
  const shown = readings.slice(0, SHOWN_MEMBERS);
  return { struct: name, target, writerBytes, readerBytes, readings: shown };
};

/**
 * Structures of `writer` that `reader` reads differently, on the first machine where that shows.
 */
export const byteWitnesses = (
  writer: AbiDescription,
  reader: AbiDescription,
): readonly ByteWitness[] =>
  writer.structs.flatMap(({ name }) => {
    for (const target of COMPARED) {
      const wrote = abiOn(writer, target)?.layouts[name];
      const reads = abiOn(reader, target)?.layouts[name];
      const found = wrote && reads && compare(name, target, wrote, reads);
      if (found !== undefined) return [found];
    }
    return [];
  });

/** One tree in which a reader does not find what it demands. */
export interface TreeWitness {
  readonly tree: string;
  /** Names that the writer puts there, in order of the alphabet. */
  readonly written: readonly string[];
  /** Names that the reader demands and does not find. */
  readonly lacking: readonly string[];
}

/** Trees of `writer` that lack what `reader` demands; of trees that it does not write, none. */
export const treeWitnesses = (
  writer: AbiDescription,
  reader: AbiDescription,
): readonly TreeWitness[] => {
  const inside = reader.tree.filter(({ kind }) => kind !== 'string');
  return [...new Set(inside.map(({ tree }) => tree))].flatMap((tree) => {
    const written = writer.tree.filter((item) => item.tree === tree && item.written);
    if (written.length === 0) return [];
    const names = new Set(written.map(({ kind, name }) => `${kind} ${name}`));
    const lacking = inside.flatMap(({ tree: of, kind, name, read }) => {
      const demanded = of === tree && read === 'required';
      return demanded && !names.has(`${kind} ${name}`) ? [`${kind} ${name}`] : [];
    });
    return lacking.length === 0 ? [] : [{ tree, written: [...names].sort(), lacking }];
  });
};
