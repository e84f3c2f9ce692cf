/**
 * `kho-check abi show PATH`: layouts, strings and constants of a kernel's sources, as a person
 * reads them, or as a baseline with `--json`.
 */
import { readFileSync } from 'node:fs';
import { holesIn } from '../abi/diff/port.ts';
import { BtfError, readBtf } from '../abi/headers/btf.ts';
import { compareBtf } from '../abi/headers/btf-compare.ts';
import { abiOn, type AbiDescription } from '../abi/headers/description.ts';
import { TARGETS, targetNamed } from '../abi/headers/targets.ts';
import { layoutsText } from '../report/abi-layouts.ts';
import { readSide } from './abi-sources.ts';
import { EXIT, UsageError } from './io.ts';
import type { Io } from './io.ts';

export interface AbiShowPathOptions {
  readonly git?: string | undefined;
  /** Machine whose layouts are shown. */
  readonly target: string;
  /** A kernel image with BTF to compare with. */
  readonly verifyBtf?: string | undefined;
  readonly json: boolean;
}

/** Bytes of a kernel image that is looked at. */
export const readImage = (path: string): Uint8Array => {
  try {
    return readFileSync(path);
  } catch {
    throw new UsageError(`${path} cannot be read; name an uncompressed vmlinux`);
  }
};

/** Compares with the BTF of a kernel image: mismatches, and what was compared. */
const verify = (abi: AbiDescription, path: string) => {
  try {
    return compareBtf(abi, readBtf(readImage(path)));
  } catch (error) {
    if (!(error instanceof BtfError)) throw error;
    throw new UsageError(`${path}: ${error.message}`);
  }
};

/** Shows the ABI of a tree, a directory of headers, a revision or a baseline. */
export const abiShowPath = (what: string, options: AbiShowPathOptions, io: Io): number => {
  const { name, abi } = readSide(what, options);
  const target = targetNamed(options.target);
  if (target === undefined) {
    const known = TARGETS.map((each) => each.name).join(', ');
    throw new UsageError(`there is no machine ${options.target}; known are ${known}`);
  }
  const btf = options.verifyBtf === undefined ? undefined : verify(abi, options.verifyBtf);
  if (options.json) {
    io.out(`${JSON.stringify(btf === undefined ? abi : { ...abi, btf })}\n`);
  } else {
    const { layouts = {}, constants = {} } = abiOn(abi, target.name) ?? {};
    const holes = Object.fromEntries(
      Object.entries(layouts).map(([key, { fields, size }]) => [key, holesIn(fields, size)]),
    );
    const said = btf && [...btf.mismatches, `${btf.compared} of ${btf.known} structures compared`];
    const report = { name, abi, target: target.name, layouts, constants, holes, btf: said };
    io.out(`${layoutsText(report, io.colors)}\n`);
  }
  if (abi.asserts.failed.length > 0 || (btf?.mismatches.length ?? 0) > 0) return EXIT.broken;
  const sure = abi.problems.length === 0 && abi.unknownOptions.length === 0;
  const compared = btf === undefined || btf.compared > 0;
  return sure && compared && abi.structs.length > 0 ? EXIT.holds : EXIT.inconclusive;
};
