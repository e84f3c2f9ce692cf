/**
 * What callers may ask in a state: the contract that the world keeps towards KHO.
 *
 * In random traces the world follows objects from step to step. In exploration there is nothing but
 * the state; so whether a call may be made is read from its cells. Who may call is no law of KHO:
 * a caller frees what it owns, takes back what it preserved, and preserves a vmalloc area once.
 * Where KHO promises a refusal, callers also ask for what must be refused.
 *
 * Only pure reads of cells; the same closures run on every carrier.
 */
import type { ActionName, Call } from '#spec/call';
import { FIRST_BLOB_DAMAGE, FIRST_METADATA_DAMAGE } from '#spec/call';
import { METADATA_NAME } from '#spec/handover-tree';
import { isPreservedRange } from '#spec/preservation';
import {
  HELD,
  KHO,
  KHO_KDUMP,
  KHO_ON,
  MOVABLE,
  PINNED,
  REGION,
  UNMOVABLE,
  isKept,
  touchesScratch,
} from '#spec/state';
import type { State } from '#spec/state';

/** Whether a caller, not the kernel for itself, owns a frame. */
const isOwned = (s: State, pfn: number): boolean => {
  const use = s.use.get(pfn);
  return use === MOVABLE || use === UNMOVABLE || use === PINNED;
};

/** Whether a caller owns a block of this order that starts at `pfn`. */
const isBlock = (s: State, pfn: number, order: number): boolean =>
  s.block.get(pfn) === order + 1 && isOwned(s, pfn);

/** Whether none of the frames is preserved. */
const isUnkept = (s: State, first: number, count: number): boolean => {
  for (let pfn = first; pfn < first + count; pfn++) if (isKept(s, pfn)) return false;
  return true;
};

/** Whether all frames are single unmovable pages that a caller owns. */
const areSingle = (s: State, first: number, count: number): boolean => {
  for (let pfn = first; pfn < first + count; pfn++) {
    if (s.use.get(pfn) !== UNMOVABLE || s.block.get(pfn) !== 1) return false;
  }
  return true;
};

/** Whether the outgoing tree names a blob at `pfn`. */
const isNamed = (s: State, pfn: number): boolean => {
  for (let name = 0; name < s.machine.nameBytes.length; name++) {
    if (s.outFrame.get(name) === pfn + 1) return true;
  }
  return false;
};

const isPreservedBlock = (s: State, { pfn, order }: Call): boolean =>
  isBlock(s, pfn, order) && ((s.kept.get(pfn) >>> order) & 1) === 1;

/** Whether a vmalloc area starts at `pfn` and a caller owns it. */
const isOwnArea = (s: State, pfn: number): boolean =>
  s.vmOrder.get(pfn) > 0 && s.use.get(pfn) === UNMOVABLE;

/** Whether the area of a caller at `pfn` has what a call says of it. */
const isArea = (s: State, pfn: number, { count, order }: Call): boolean => {
  if (!isOwnArea(s, pfn) || s.vmOrder.get(pfn) !== order + 1) return false;
  let pages = 0;
  for (let block = pfn; block !== 0; block = s.vmNext.get(block)) pages += 2 ** order;
  return pages === count;
};

/** Whether `call` describes an area that is preserved now, by the first chunk of its list. */
const isList = (s: State, call: Call): boolean => {
  const pfn = s.use.get(call.pfn) === KHO ? s.vmList.get(call.pfn) : 0;
  return pfn !== 0 && s.vmFlags.get(pfn) === call.value && isArea(s, pfn, call);
};

const isMovable = (s: State, { pfn, order }: Call): boolean =>
  s.use.get(pfn) === MOVABLE && s.block.get(pfn) === order + 1;

const mayPreserve = (s: State, pfn: number, count: number): boolean =>
  isUnkept(s, pfn, count) && (s.use.get(pfn) !== MOVABLE || touchesScratch(s, pfn, count));

type May = (s: State, call: Call) => boolean;

/** Where a call asks for what is held, or for what must be refused because it is owned. */
const asksBack: May = (s, { pfn }) => s.use.get(pfn) === HELD || s.use.get(pfn) === UNMOVABLE;

/** Calls that need no KHO, and those that need not even a page allocator for all memory. */
const NEEDS: Partial<Record<ActionName, 'memory' | 'nothing'>> = {
  allocPages: 'memory',
  allocContig: 'memory',
  freePages: 'memory',
  freeContig: 'memory',
  write: 'memory',
  restoreFolio: 'memory',
  restorePages: 'memory',
  kexecFileLoad: 'memory',
  kexecLoad: 'memory',
  kexecUnload: 'memory',
  kexecCrashLoad: 'memory',
  kexec: 'memory',
  crash: 'memory',
  pin: 'memory',
  unpin: 'memory',
  migrate: 'memory',
  reserveMemFindByName: 'memory',
  releaseReserveMem: 'memory',
  retrieveSubtree: 'nothing',
  khoIsEnabled: 'nothing',
  isKhoBoot: 'nothing',
  coldBoot: 'nothing',
};

/** Calls with a contract of their own; the others may be made whenever the kernel permits. */
const MAY: Partial<Record<ActionName, May>> = {
  freePages: (s, { pfn, order }) =>
    isBlock(s, pfn, order) && s.use.get(pfn) !== PINNED && isUnkept(s, pfn, 2 ** order),
  freeContig: (s, { pfn, count }) => areSingle(s, pfn, count) && isUnkept(s, pfn, count),
  write: (s, { pfn }) => isOwned(s, pfn) || s.use.get(pfn) === REGION,
  preserveFolio: (s, { pfn, order }) => isBlock(s, pfn, order) && mayPreserve(s, pfn, 2 ** order),
  unpreserveFolio: (s, call) => isPreservedBlock(s, call) && !isNamed(s, call.pfn),
  preservePages: (s, { pfn, count }) =>
    touchesScratch(s, pfn, count) || (areSingle(s, pfn, count) && isUnkept(s, pfn, count)),
  unpreservePages: (s, { pfn, count }) =>
    areSingle(s, pfn, count) && isPreservedRange(s, pfn, count) && !isNamed(s, pfn),
  restoreFolio: asksBack,
  restorePages: asksBack,
  restoreFree: asksBack,
  addSubtree: (s, { pfn }) => isOwned(s, pfn) && (s.kept.get(pfn) & 1) === 1,
  removeSubtree: (s, { pfn }) => isOwned(s, pfn),
  vfree: (s, call) => isArea(s, call.pfn, call) && s.vmList.get(call.pfn) === 0,
  preserveVmalloc: (s, call) =>
    s.use.get(call.pfn) === UNMOVABLE &&
    s.vmList.get(call.pfn) === 0 &&
    (s.vmOrder.get(call.pfn) === 0 || isArea(s, call.pfn, call)),
  unpreserveVmalloc: isList,
  unpreserveFree: (s, call) => isPreservedBlock(s, call) && !isNamed(s, call.pfn),
  pin: isMovable,
  unpin: (s, { pfn, order }) =>
    isBlock(s, pfn, order) && s.use.get(pfn) === PINNED && !isKept(s, pfn),
  migrate: (s, { pfn, order }) => isBlock(s, pfn, order),
  kexec: (s, { name, value }) =>
    value < FIRST_BLOB_DAMAGE ||
    (s.loaded.get() !== 0 &&
      s.outFrame.get(name) !== 0 &&
      (value < FIRST_METADATA_DAMAGE || name === METADATA_NAME)),
};

/** Whether the running kernel has what a call needs. */
const isPermitted = (s: State, action: ActionName): boolean => {
  const kho = s.kho.get();
  if (kho === KHO_ON) return true;
  const needs = NEEDS[action];
  return needs === 'nothing' || (needs === 'memory' && kho !== KHO_KDUMP);
};

/** Whether callers that keep their side of the contract make this call in this state. */
export const mayCall = (s: State, call: Call): boolean =>
  isPermitted(s, call.action) && (MAY[call.action]?.(s, call) ?? true);
