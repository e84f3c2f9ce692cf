/** Telling on stderr how far a search is, at most twice a second. */
import type { Io } from './io.ts';

interface Searched {
  readonly depth: number;
  readonly states: number;
  readonly transitions: number;
}

/** One line that replaces itself on a terminal; elsewhere a line every ten seconds. */
export const progressTeller = <P extends Searched>(io: Io): ((progress: Readonly<P>) => void) => {
  let last = performance.now();
  return ({ depth, states, transitions }) => {
    const now = performance.now();
    if (now - last < (io.liveProgress ? 500 : 10_000)) return;
    last = now;
    const [found, made] = [states, transitions].map((n) => n.toLocaleString('en-US'));
    const line = `depth ${depth}, ${found} states, ${made} transitions`;
    io.err(io.liveProgress ? `\r\u001b[K${line}` : `${line}\n`);
  };
};
