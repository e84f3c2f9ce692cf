/**
 * `kho-check abi preflight OLD NEW`: may this host hand over to that kernel?
 *
 * OLD is what hands over: a release, a kernel's sources, or a handover that was made (a capture, a
 * copy of debugfs, a device tree blob). NEW is the kernel that is to take it. A kernel image with
 * BTF stands for the kernel whose structures and strings it has.
 */
import { statSync } from 'node:fs';
import { InputError } from '../abi/decode/input-error.ts';
import { diffAbi } from '../abi/diff/diff.ts';
import { ROOT_FAMILY } from '../abi/diff/strings.ts';
import { BtfError, readBtf } from '../abi/headers/btf.ts';
import { compareBtf } from '../abi/headers/btf-compare.ts';
import { stringOf, type AbiDescription } from '../abi/headers/description.ts';
import type { Outcome } from '../abi/verdict/outcome.ts';
import { preflightText, type PreflightReport } from '../report/abi-preflight.ts';
import { readImage } from './abi-show.ts';
import { BASELINES, baselineOf, readSide } from './abi-sources.ts';
import { kernelOf } from './abi-kernel.ts';
import { examine } from './inspect.ts';
import { EXIT, UsageError } from './io.ts';
import type { Io } from './io.ts';

/** A side that is a kernel. */
interface KernelSide {
  readonly kind: 'kernel';
  readonly abi: AbiDescription;
  /** Release series that has this ABI; undefined where none has. */
  readonly series: string | undefined;
  readonly notes: readonly string[];
}

/** A side that is a handover. */
interface HandoverSide {
  readonly kind: 'handover';
  readonly writers: readonly string[];
  /** What each release would do with it. */
  readonly kernels: ReturnType<typeof examine>['kernels'];
}

const MAGIC = { elf: 0x7f454c46, fdt: 0xd00dfeed } as const;

/** The first four bytes of a file. */
const magicOf = (path: string): number => {
  const bytes = readImage(path);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.length < 4 ? 0 : view.getUint32(0);
};

const nameOf = ({ name }: { readonly name: string }): string => name;

/** The kernel that a kernel image is, by the BTF and the strings in it. */
const ofImage = (path: string): KernelSide => {
  try {
    const btf = readBtf(readImage(path));
    const all = new Set(BASELINES.flatMap((each) => baselineOf(each)!.structs.map(nameOf)));
    const has = [...btf.records.keys()].filter((name) => all.has(name));
    const fitting = BASELINES.flatMap((series) => {
      const abi = baselineOf(series)!;
      const { mismatches, compared, target } = compareBtf(abi, btf);
      const root = stringOf(abi, 'KHO_FDT_COMPATIBLE') ?? '';
      const own = new Set(abi.structs.map(nameOf));
      if (!has.every((name) => own.has(name))) return [];
      const told = btf.strings.length === 0 || btf.strings.includes(root);
      return mismatches.length === 0 && compared > 2 && told ? [{ series, abi, target }] : [];
    });
    const last = fitting.at(-1);
    if (last === undefined) {
      const why =
        btf.records.size < 3
          ? 'its BTF has nothing of KHO; was it built with CONFIG_KEXEC_HANDOVER=y?'
          : 'its structures are those of no kernel that is known';
      throw new UsageError(`${path}: ${why}`);
    }
    const names = fitting.map(({ series }) => series).join(', ');
    const notes = [`${path} has the structures of ${names} (${last.target})`];
    return { kind: 'kernel', abi: last.abi, series: last.series, notes };
  } catch (error) {
    if (error instanceof BtfError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
};

const ofKernel = (what: string): KernelSide => {
  const isFile = statSync(what, { throwIfNoEntry: false })?.isFile() === true;
  if (isFile && magicOf(what) === MAGIC.elf) return ofImage(what);
  const { abi } = readSide(what);
  const notes = abi.problems.map(({ file, line, message }) => `${file}:${line}: ${message}`);
  return { kind: 'kernel', abi, series: kernelOf(abi), notes };
};

/** Whether a path is something that a kernel left rather than what it was made from. */
const isHandover = (what: string): boolean => {
  const found = statSync(what, { throwIfNoEntry: false });
  if (found === undefined) return false;
  if (found.isFile()) return !what.endsWith('.json') && magicOf(what) !== MAGIC.elf;
  try {
    examine(what);
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
};

const ofHandover = (what: string): HandoverSide => {
  try {
    const { writers, kernels } = examine(what);
    return { kind: 'handover', writers, kernels };
  } catch (error) {
    if (error instanceof InputError) throw new UsageError(error.message);
    throw error;
  }
};

const fromDiff = (
  old: AbiDescription,
  next: AbiDescription,
): { readonly outcome: Outcome; readonly reasons: readonly string[] } => {
  const { outcome, findings } = diffAbi(old, next);
  const reasons = findings.filter(({ severity }) => severity === 'error');
  const versions = findings.filter(({ rule, subject }) => {
    return rule === 'VERSION-07' && (outcome.oldToNew !== 'refused' || subject === ROOT_FAMILY);
  });
  const told = reasons.length > 0 ? reasons : outcome.oldToNew === 'same' ? [] : versions;
  return { outcome: outcome.oldToNew, reasons: told.map(({ message }) => message) };
};

/** What a handover ends as with a kernel: by its bytes, or by what its writers would write. */
const meet = (old: HandoverSide, next: KernelSide) => {
  const take = old.kernels.find(({ kernel }) => kernel === next.series);
  if (take !== undefined) return { outcome: take.outcome, reasons: take.reasons };
  const writer = old.writers.at(-1);
  const abi = writer === undefined ? undefined : baselineOf(writer);
  return abi === undefined ? undefined : fromDiff(abi, next.abi);
};

const STATUS: Readonly<Record<Outcome, number>> = {
  same: EXIT.holds,
  ignored: EXIT.broken,
  refused: EXIT.broken,
  misread: EXIT.broken,
  panic: EXIT.broken,
};

/** Answers whether the one may hand over to the other. */
export const abiPreflight = (
  old: string,
  next: string,
  { json }: { readonly json: boolean },
  io: Io,
): number => {
  const reader = ofKernel(next);
  const writer = isHandover(old) ? ofHandover(old) : ofKernel(old);
  const met = writer.kind === 'kernel' ? fromDiff(writer.abi, reader.abi) : meet(writer, reader);
  const notes = [...(writer.kind === 'kernel' ? writer.notes : []), ...reader.notes];
  const from =
    writer.kind === 'kernel'
      ? `${old}${writer.abi.kernel === undefined ? '' : ` (Linux ${writer.abi.kernel})`}`
      : `${old}, written by ${writer.writers.join(' or ') || 'nobody who is known'}`;
  const report: PreflightReport = {
    old: from,
    new: next,
    outcome: met?.outcome,
    reasons: met?.reasons ?? [],
    notes,
  };
  if (json) io.out(`${JSON.stringify(report)}\n`);
  else io.out(`${preflightText(report, io.colors)}\n`);
  return met?.outcome === undefined ? EXIT.inconclusive : STATUS[met.outcome];
};
