/**
 * Random numbers for drawing steps: small, fast, the same on every machine.
 *
 * fast-check seeds one of these per trace; a trace then draws its steps while it runs, knowing the
 * state it is in. (xorshift with 32 bits of state, after Marsaglia; a zero seed is replaced.)
 */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 0x9e3779b9;
    for (let i = 0; i < 4; i++) this.#next();
  }

  #next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  /** A whole number from 0 to `bound - 1`; `bound` is at least 1. */
  below(bound: number): number {
    return Math.floor((this.#next() / 4294967296) * bound);
  }

  /** A whole number from `low` to `high`. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}
