/**
 * Remembers what bytes were decoded to, as long as they are the same bytes.
 *
 * An observer that looks often sees mostly what it saw before. Every byte is compared with a copy
 * of its own before something remembered is given out, so that no change of a byte goes unseen,
 * wherever the bytes stand now and whoever wrote them.
 */

interface Memory<T> {
  readonly bytes: Uint8Array;
  readonly value: T;
}

/** Views of different memory at different times: a tree that leaves, one that came, and spares. */
const SLOTS = 4;

/**
 * A decoder that remembers its last answers; `decode` must be a function of the bytes alone, and
 * its answers must not be changed by anybody.
 */
export const remembering = <T>(decode: (bytes: Uint8Array) => T): ((bytes: Uint8Array) => T) => {
  const memories: Memory<T>[] = [];
  let next = 0;
  return (bytes) => {
    for (const memory of memories) if (sameBytes(memory.bytes, bytes)) return memory.value;
    const value = decode(bytes);
    memories[next] = { bytes: bytes.slice(), value };
    next = (next + 1) % SLOTS;
    return value;
  };
};

/** Whether two views hold the same bytes. */
const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && Buffer.compare(a, b) === 0;
