/** Colour, or none: reports never ask where they are printed. */
import pc from 'picocolors';

export interface Colors {
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
}

/** Colours when `enabled`, otherwise functions that change nothing. */
export const colors = (enabled: boolean): Colors => pc.createColors(enabled);
