/** A description against BTF, member by member, on the machine that the image was built for. */
import { abiOn, type AbiDescription, type AbiField } from './description.ts';
import type { Btf, BtfField } from './btf.ts';
import { TARGETS, type Target } from './targets.ts';

/** What a comparison found. */
export interface BtfComparison {
  /** Machine that fits best; undefined where none has that word size and byte order. */
  readonly target: string | undefined;
  readonly mismatches: readonly string[];
  /** Structures on both sides, and structures of the description. */
  readonly compared: number;
  readonly known: number;
}

const ofField = (field: AbiField): string => {
  const { name, offset, size, bits, members } = field;
  const inner = members === undefined ? '' : ` {${members.map(ofField).join(' ')}}`;
  return `${name}@${bits?.offset ?? offset * 8}+${bits?.width ?? size * 8}${inner}`;
};

const ofBtf = ({ name, offset, width, members }: BtfField): string => {
  const inner = members === undefined ? '' : ` {${members.map(ofBtf).join(' ')}}`;
  return `${name}@${offset}+${width}${inner}`;
};

const fits = (btf: Btf, { wordBytes, bigEndian }: Target): boolean =>
  bigEndian === btf.bigEndian && (btf.wordBytes === undefined || wordBytes === btf.wordBytes);

const mismatchesOn = (abi: AbiDescription, btf: Btf, target: Target) => {
  const layouts = abiOn(abi, target.name)?.layouts ?? {};
  const found: string[] = [];
  let compared = 0;
  for (const [name, { size, fields }] of Object.entries(layouts)) {
    const record = btf.records.get(name);
    if (record === undefined) continue;
    compared++;
    if (record.size !== size) found.push(`${name} has ${record.size} bytes in BTF, here ${size}`);
    const theirs = new Set(record.fields.map(ofBtf));
    for (const field of fields) {
      if (!theirs.has(ofField(field))) {
        const other = record.fields.find((each) => each.name === field.name);
        const said = other === undefined ? 'not there' : ofBtf(other);
        found.push(`${name}.${field.name} is ${said} in BTF, here ${ofField(field)} (bits)`);
      }
    }
    if (fields.length !== record.fields.length) {
      found.push(`${name} has ${record.fields.length} members in BTF, here ${fields.length}`);
    }
  }
  return { target: target.name, mismatches: found, compared };
};

/** Compares on every machine that the image can be of, and answers the one that fits best. */
export const compareBtf = (abi: AbiDescription, btf: Btf): BtfComparison => {
  const all = TARGETS.filter((target) => fits(btf, target)).map((target) =>
    mismatchesOn(abi, btf, target),
  );
  const best = all.toSorted((a, b) => a.mismatches.length - b.mismatches.length)[0];
  const known = abi.structs.length;
  return best === undefined
    ? { target: undefined, mismatches: [], compared: 0, known }
    : { ...best, known };
};
