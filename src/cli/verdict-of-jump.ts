/**
 * What the kernel that is jumped to makes of the bytes that it finds: derived from descriptions of
 * generations by `abi/verdict`, which knows neither the law nor the implementation.
 */
import type { Memory, Told } from '#model/system';
import { generationById } from '#src/abi/description/generations';
import { readMemory } from '#src/abi/decode/blobs';
import { decodeHandover } from '#src/abi/decode/handover';
import { takeOf } from '../abi/verdict/takes.ts';
import type { JudgeOfJumps, JumpVerdict } from '../checker/jumps.ts';

/** Judges the handover that memory holds right before the next kernel starts. */
export const verdictOfJump: JudgeOfJumps = (memory: Memory, told: Told): JumpVerdict => {
  const reader = generationById(told.reader);
  if (reader === undefined) return { outcome: 'same', reasons: [] };
  const handover = decodeHandover(memory, told);
  const blob = (name: string): Uint8Array | undefined => {
    const entry = handover.subtrees.find((each) => each.name === name);
    if (entry === undefined || entry.bytes === 0) return undefined;
    return readMemory(memory, entry.phys, entry.bytes);
  };
  return takeOf({ handover, memory, blob }, reader);
};
