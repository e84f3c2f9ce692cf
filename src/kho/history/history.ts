/**
 * The catalogue: every bug of KHO that is modelled, and every one that is not, with the reason.
 *
 * Invariants: ids are unique, also among the synthetic faults; every entry names a modelled series.
 */
import { had } from './bug.ts';
import type { Bug, Release, Unmodelled } from './bug.ts';
import { CLIENT_BUGS } from './clients.ts';
import { CORE_BUGS } from './core.ts';
import { LIVE_UPDATE_BUGS } from './live-update.ts';
import { OPEN } from './open.ts';
import { SCRATCH_BUGS } from './scratch.ts';
import { NOT_MODELLED } from './unmodelled.ts';

export const BUGS: readonly Bug[] = [
  ...CORE_BUGS,
  ...SCRATCH_BUGS,
  ...CLIENT_BUGS,
  ...LIVE_UPDATE_BUGS,
  ...OPEN,
];

/** Bugs that no entry stands for, each with the reason. */
export const UNMODELLED: readonly Unmodelled[] = NOT_MODELLED;

/** The bug with this id, or undefined. */
export const bugById = (id: string): Bug | undefined => BUGS.find((bug) => bug.id === id);

/** What a release had, as built by a distribution: without debug options, for x86. */
export const shippedWith = (release: Release): readonly Bug[] =>
  BUGS.filter((bug) => had(bug, release) && bug.only !== 'arm64');
