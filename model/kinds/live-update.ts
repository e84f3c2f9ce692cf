/**
 * Kinds of step: sessions of the live update orchestrator, and the memfds in them.
 *
 * Only few traces have any of these (`withSessions`), and those have many.
 */
import { LUO_NAME, NO_SESSION_NAME } from '#spec/live-update';
import {
  filesMax,
  filesOf,
  filesPerBlock,
  sessionCount,
  sessionsFillBlocks,
  sessionsMax,
  sessionsPerBlock,
} from '#spec/live-update-state';
import { runsBefore } from '#spec/state';
import { call } from '../call.ts';
import type { Draw } from '../draw.ts';
import { FILE_TOKENS, SESSION_NAMES } from '../machines.ts';
import type { Memfd, Session } from '../sessions.ts';
import type { WorldObject } from '../world-object.ts';
import type { World } from '../world.ts';
import { FLAG, NO_CALLS, OBJECT, number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';
import { stampOf } from './memory.ts';

/** Have the orchestrator come up; it reads what its predecessor left. */
export interface StartLiveUpdate extends StepBase {
  readonly do: 'start live update';
  /** The request for pages that is refused; 0: none is. */
  readonly nth: number;
}

/** Name an object as the orchestrator would name its state, before it can. */
export interface TakeLiveUpdateName extends StepBase {
  readonly do: 'take live update name';
  readonly of: number;
}

/** Create sessions, each with a name that no other has. */
export interface CreateSession extends StepBase {
  readonly do: 'create session';
  readonly count: number;
  readonly nth: number;
}

/** Create a session with the name of another. */
export interface CreateSameSession extends StepBase {
  readonly do: 'create same session';
  readonly of: number;
}

/** Create a session without a name. */
export interface CreateNamelessSession extends StepBase {
  readonly do: 'create nameless session';
}

/** Give a session new memfds of so many pages each. */
export interface PreserveMemfd extends StepBase {
  readonly do: 'preserve memfd';
  readonly of: number;
  readonly count: number;
  readonly pages: number;
  readonly nth: number;
}

/** Give the session of a file another one with the same token. */
export interface PreserveSameToken extends StepBase {
  readonly do: 'preserve same token';
  readonly of: number;
}

/** Give a memfd that came back to the youngest session that will be handed over. */
export interface KeepMemfd extends StepBase {
  readonly do: 'keep memfd';
  readonly of: number;
}

/** Write to a page of a memfd. */
export interface WriteMemfd extends StepBase {
  readonly do: 'write memfd';
  readonly of: number;
  readonly page: number;
}

/** Close a session that would have been handed over. */
export interface CloseSession extends StepBase {
  readonly do: 'close session';
  readonly of: number;
}

/** Retrieve a session by its name. */
export interface RetrieveSession extends StepBase {
  readonly do: 'retrieve session';
  readonly of: number;
}

/** Retrieve a file by its token; `stray`: by a token that no file has. */
export interface RetrieveMemfd extends StepBase {
  readonly do: 'retrieve memfd';
  readonly of: number;
  readonly stray: boolean;
}

/** Finish a session that was retrieved. */
export interface FinishSession extends StepBase {
  readonly do: 'finish session';
  readonly of: number;
}

/** Close a memfd that came back and that no session has. */
export interface CloseMemfd extends StepBase {
  readonly do: 'close memfd';
  readonly of: number;
}

const NTH_MAX = 12;
const PAGES_MAX = 600;
/** Files that a trace has at most, unless it asks for very many at once. */
const FILES_MAX = 8;
const SESSIONS_MAX = 6;
/** One creation in so many makes as many sessions as fill a block, or nearly. */
const MANY_ONE_IN = 24;
/** Of those up to 7.1, one in so many fills the array. */
const ARRAY_ONE_IN = 2;
const FAILS_ONE_IN = 8;

const isUp = ({ state }: World): boolean => state.luo.get() === 1;

const onlyWhenUp = (weight: number, world: World): number => (isUp(world) ? weight : 0);

/** The weight for making one more: the first ones matter most. */
const asMany = (weight: number, there: number, most: number): number =>
  there < 2 ? 4 * weight : there >= most ? weight / 4 : weight;

const nth = ({ random }: Draw): number => {
  return random.oneIn(FAILS_ONE_IN) ? random.between(1, NTH_MAX) : 0;
};

/** A session or file that passes a test, as the argument of a step. */
const oneOf = <T extends { readonly id: number }>(
  { random }: Draw,
  all: readonly T[],
  test: (each: T) => boolean,
): { readonly of: number } | undefined => {
  const fit = all.filter(test);
  return fit.length === 0 ? undefined : { of: random.pick(fit).id };
};

const isOut = ({ side }: Session): boolean => side === 'out';
const isOpen = (session: Session | undefined): boolean =>
  session !== undefined && session.side === 'in' && session.retrieved;

export const startLiveUpdate: Kind<StartLiveUpdate> = {
  says: 'have the live update orchestrator come up',
  weight: 20,
  silenceable: false,
  since: '6.19',
  only: 'sessions',
  fields: { nth: number(0, NTH_MAX) },
  weightNow: (weight, world) => {
    if (isUp(world)) return 0;
    if (world.state.outFrame.get(LUO_NAME) !== 0) return weight / 10;
    return world.state.luoLeft.get() === 1 ? 10 * weight : weight;
  },
  draw: (draw) => ({ nth: nth(draw) }),
  calls: (world, { nth: fails }) => (isUp(world) ? NO_CALLS : [call('luoStart', { fails })]),
};

const mayBeNamed = ({ status, preserved, pfn }: WorldObject): boolean =>
  status === 'owned' && preserved && pfn > 0;

export const takeLiveUpdateName: Kind<TakeLiveUpdateName> = {
  says: 'name an object as the live update orchestrator would name its state',
  weight: 10,
  silenceable: true,
  since: '6.19',
  only: 'sessions',
  fields: { of: OBJECT },
  weightNow: (weight, world) => (isUp(world) ? 0 : weight),
  draw: (draw) => draw.object(mayBeNamed),
  // Written to first: a page may hold what the orchestrator of a kernel before left there.
  calls: (world, { id, of }) => {
    const object = world.object(of);
    if (object === undefined || !mayBeNamed(object) || isUp(world)) return NO_CALLS;
    const { pfn } = object;
    return [
      call('write', { pfn, value: stampOf({ id, page: 0 }) }),
      call('addSubtree', { pfn, name: LUO_NAME, value: 1 }),
    ];
  },
  settle: (world, { of }, { action }, { value }) => {
    const object = world.object(of);
    if (object !== undefined && action === 'addSubtree' && value === 0) object.names++;
  },
};

/** How many sessions to create: one, or up to a border of blocks, or of the array. */
const drawSessions = ({ random, world }: Draw): number => {
  const { state } = world;
  const hasBlocks = !runsBefore(state, '7.2');
  if (!random.oneIn(hasBlocks ? MANY_ONE_IN : MANY_ONE_IN * ARRAY_ONE_IN)) return 1;
  const border = hasBlocks ? sessionsPerBlock(state) : sessionsMax(state);
  const count = border - sessionCount(state) + random.pick([-1, 0, 0, 1]);
  return count > 0 && count < SESSION_NAMES - 1 ? count : 1;
};

export const createSession: Kind<CreateSession> = {
  says: 'create sessions',
  weight: 12,
  silenceable: false,
  since: '6.19',
  only: 'sessions',
  fields: { count: number(1, SESSION_NAMES - 1), nth: number(0, NTH_MAX) },
  weightNow: (weight, world) => {
    const { length } = world.luo.sessions;
    return onlyWhenUp(asMany(weight, length, SESSIONS_MAX), world);
  },
  draw: (draw) => ({ count: drawSessions(draw), nth: nth(draw) }),
  calls: (world, { count, nth: fails }) => {
    if (!isUp(world)) return NO_CALLS;
    return world.luo
      .freeNames(count)
      .map((name, at) => call('luoCreateSession', { name, fails: at === 0 ? fails : 0 }));
  },
  settle: (world, { id }, { name }, { value }) => {
    if (value < 0) return;
    world.luo.sessions.push({ id, name, side: 'out', retrieved: false });
  },
};

export const createSameSession: Kind<CreateSameSession> = {
  says: 'create a session with the name of another',
  weight: 1.5,
  silenceable: true,
  since: '6.19',
  only: 'sessions',
  fields: { of: OBJECT },
  weightNow: (weight, world) => {
    const { state } = world;
    const count = isUp(world) ? sessionCount(state) : 0;
    if (count === 0) return 0;
    return sessionsFillBlocks(state, count) ? 60 * weight : weight;
  },
  draw: (draw) => oneOf(draw, draw.world.luo.sessions, isOut),
  calls: (world, { of }) => {
    const session = world.luo.session(of);
    if (session === undefined || !isOut(session) || !isUp(world)) return NO_CALLS;
    return [call('luoCreateSession', { name: session.name })];
  },
};

export const createNamelessSession: Kind<CreateNamelessSession> = {
  says: 'create a session without a name',
  weight: 0.6,
  silenceable: true,
  since: '7.1',
  only: 'sessions',
  fields: {},
  weightNow: onlyWhenUp,
  draw: () => ({}),
  calls: (world) => (isUp(world) ? [call('luoCreateSession', { name: NO_SESSION_NAME })] : []),
};

/** How many files to give a session: one, or as many as fill a block or the array. */
const drawFiles = ({ random, world }: Draw, session: Session): number => {
  const { state } = world;
  if (!random.oneIn(MANY_ONE_IN)) return 1;
  const border = runsBefore(state, '7.2') ? filesMax(state) : filesPerBlock(state);
  const count = border - filesOf(state, session.name) + random.pick([-1, 0, 0, 1]);
  return count > 0 && count < FILE_TOKENS ? count : 1;
};

const drawPages = ({ random, pageBytes }: Draw): number => {
  if (random.oneIn(8)) return 0;
  const perPage = pageBytes / 16;
  if (random.oneIn(16)) {
    return Math.min(PAGES_MAX, random.pick([perPage - 1, perPage, perPage + 1, 2 * perPage]));
  }
  return random.between(1, 6);
};

export const preserveMemfd: Kind<PreserveMemfd> = {
  says: 'give a session new memfds',
  weight: 20,
  silenceable: false,
  since: '6.19',
  only: 'sessions',
  fields: {
    of: OBJECT,
    count: number(1, FILE_TOKENS),
    pages: number(0, PAGES_MAX, 1),
    nth: number(0, NTH_MAX),
  },
  weightNow: (weight, world) => {
    if (!world.luo.sessions.some(isOut)) return 0;
    return onlyWhenUp(asMany(weight, world.luo.files.length, FILES_MAX), world);
  },
  draw: (draw) => {
    const chosen = oneOf(draw, draw.world.luo.sessions, isOut);
    const session = chosen && draw.world.luo.session(chosen.of);
    if (session === undefined) return undefined;
    const count = drawFiles(draw, session);
    const pages = count > 1 ? draw.random.below(2) : drawPages(draw);
    return { of: session.id, count, pages, nth: nth(draw) };
  },
  calls: (world, { of, count, pages, nth: fails }) => {
    const session = world.luo.session(of);
    if (session === undefined || !isOut(session) || !isUp(world)) return NO_CALLS;
    const { name } = session;
    return world.luo
      .freeTokens(count)
      .map((value, at) =>
        call('luoPreserveFile', { name, value, count: pages, fails: at === 0 ? fails : 0 }),
      );
  },
  settle: (world, { id, of }, { value: token, count }, { value, pages }) => {
    const session = world.luo.session(of);
    if (value < 0 || session === undefined) return;
    const frames = Array.from({ length: pages.length }, (_, i) => pages.first(i));
    world.luo.files.push({
      id,
      token,
      session,
      came: undefined,
      pages: frames,
      count,
      retrieved: false,
    });
  },
};

export const preserveSameToken: Kind<PreserveSameToken> = {
  says: 'give a session a memfd with a token that another has',
  weight: 2,
  silenceable: true,
  since: '6.19',
  only: 'sessions',
  fields: { of: OBJECT },
  weightNow: onlyWhenUp,
  draw: (draw) => oneOf(draw, draw.world.luo.files, ({ session }) => session !== undefined),
  calls: (world, { of }) => {
    const file = world.luo.file(of);
    if (file?.session === undefined || !isUp(world)) return NO_CALLS;
    const { name } = file.session;
    return [call('luoPreserveFile', { name, value: file.token, count: 1 })];
  },
};

/** Whether somebody has the file, and it has pages to tell it by. */
const isAtHand = ({ pages }: Memfd): boolean => pages.length > 0;

export const keepMemfd: Kind<KeepMemfd> = {
  says: 'give a memfd that came back to a session',
  weight: 20,
  silenceable: true,
  since: '6.19',
  only: 'sessions',
  fields: { of: OBJECT },
  weightNow: (weight, world) => (world.luo.files.some(isAtHand) ? onlyWhenUp(weight, world) : 0),
  draw: (draw) => {
    const usual = !draw.random.oneIn(4);
    return oneOf(draw, draw.world.luo.files, (file) => {
      const free = file.session === undefined && file.came === undefined;
      return isAtHand(file) && free === usual;
    });
  },
  calls: (world, { of }) => {
    const file = world.luo.file(of);
    const session = world.luo.sessions.findLast(isOut);
    if (file === undefined || session === undefined || !isUp(world)) return NO_CALLS;
    const isFree = file.session === undefined && file.came === undefined;
    if (!isAtHand(file) || (!isFree && runsBefore(world.state, '7.1'))) return NO_CALLS;
    const [value] = world.luo.freeTokens(1);
    if (value === undefined) return NO_CALLS;
    const { name } = session;
    return [call('luoPreserveFile', { name, value, pfn: file.pages[0]!, count: file.count })];
  },
  settle: (world, { of }, { name, value: token }, { value }) => {
    const file = world.luo.file(of);
    if (value < 0 || file === undefined) return;
    file.token = token;
    file.session = world.luo.sessions.find((each) => isOut(each) && each.name === name);
  },
};

export const writeMemfd: Kind<WriteMemfd> = {
  says: 'write to a memfd',
  weight: 4,
  silenceable: true,
  since: '6.19',
  only: 'sessions',
  fields: { of: OBJECT, page: number(0, PAGES_MAX) },
  weightNow: (weight, world) => (world.luo.files.some(isAtHand) ? weight : 0),
  draw: (draw) => {
    const chosen = oneOf(draw, draw.world.luo.files, isAtHand);
    const file = chosen && draw.world.luo.file(chosen.of);
    if (file === undefined || !isAtHand(file)) return undefined;
    return { of: file.id, page: draw.random.below(file.pages.length) };
  },
  calls: (world, { id, of, page }) => {
    const pfn = world.luo.file(of)?.pages[page];
    return pfn === undefined ? NO_CALLS : [call('write', { pfn, value: stampOf({ id, page }) })];
  },
};

export const closeSession: Kind<CloseSession> = {
  says: 'close a session before the jump',
  weight: 4,
  silenceable: true,
  since: '6.19',
  only: 'sessions',
  fields: { of: OBJECT },
  weightNow: onlyWhenUp,
  draw: (draw) => oneOf(draw, draw.world.luo.sessions, isOut),
  calls: (world, { of }) => {
    const session = world.luo.session(of);
    if (session === undefined || !isOut(session) || !isUp(world)) return NO_CALLS;
    return [call('luoCloseSession', { name: session.name })];
  },
  settle: (world, { of }) => {
    const session = world.luo.session(of);
    if (session === undefined) return;
    for (const file of world.luo.filesOf(session)) world.luo.dropFile(file);
    world.luo.drop(session);
  },
};

export const retrieveSession: Kind<RetrieveSession> = {
  says: 'look a session of the previous kernel up',
  weight: 100,
  silenceable: false,
  since: '6.19',
  only: 'sessions',
  fields: { of: OBJECT },
  weightNow: (weight, world) =>
    world.luo.sessions.some(({ side }) => side === 'in') ? onlyWhenUp(weight, world) : 0,
  draw: (draw) => {
    const usual = !draw.random.oneIn(8);
    return oneOf(draw, draw.world.luo.sessions, ({ side, retrieved }) => {
      return (side === 'in' && !retrieved) === usual;
    });
  },
  calls: (world, { of }) => {
    const session = world.luo.session(of);
    if (session === undefined || !isUp(world)) return NO_CALLS;
    return [call('luoRetrieveSession', { name: session.name })];
  },
  settle: (world, { of }, _made, { value }) => {
    const session = world.luo.session(of);
    if (value === 0 && session !== undefined) session.retrieved = true;
  },
};

export const retrieveMemfd: Kind<RetrieveMemfd> = {
  says: 'get a memfd of a session back',
  weight: 60,
  silenceable: false,
  since: '6.19',
  only: 'sessions',
  fields: { of: OBJECT, stray: FLAG },
  weightNow: (weight, world) =>
    world.luo.files.some(({ came }) => isOpen(came)) ? onlyWhenUp(weight, world) : 0,
  draw: (draw) => {
    const usual = !draw.random.oneIn(6);
    const chosen = oneOf(draw, draw.world.luo.files, ({ came, pages }) => {
      return isOpen(came) && (pages.length === 0) === usual;
    });
    return chosen && { ...chosen, stray: draw.random.oneIn(10) };
  },
  calls: (world, { of, stray }) => {
    const file = world.luo.file(of);
    if (file?.came === undefined || !isOpen(file.came) || !isUp(world)) return NO_CALLS;
    // With a session of its own again, the file has another token.
    if (file.session !== undefined) return NO_CALLS;
    const value = stray ? world.luo.freeTokens(1)[0] : file.token;
    if (value === undefined) return NO_CALLS;
    return [call('luoRetrieveFile', { name: file.came.name, value })];
  },
  settle: (world, { of }, _made, { value, pages }) => {
    const file = world.luo.file(of);
    if (value < 0 || file === undefined) return;
    file.pages = Array.from({ length: pages.length }, (_, i) => pages.first(i));
    file.retrieved = true;
  },
};

export const finishSession: Kind<FinishSession> = {
  says: 'finish a session',
  weight: 50,
  silenceable: true,
  since: '6.19',
  only: 'sessions',
  fields: { of: OBJECT },
  weightNow: (weight, world) => (world.luo.sessions.some(isOpen) ? onlyWhenUp(weight, world) : 0),
  draw: (draw) => oneOf(draw, draw.world.luo.sessions, isOpen),
  calls: (world, { of }) => {
    const session = world.luo.session(of);
    if (session === undefined || !isOpen(session) || !isUp(world)) return NO_CALLS;
    return [call('luoFinishSession', { name: session.name })];
  },
  settle: (world, { of }) => {
    const session = world.luo.session(of);
    if (session === undefined) return;
    for (const file of world.luo.filesOf(session)) {
      if (file.retrieved && file.count > 0) file.came = undefined;
      else world.luo.dropFile(file);
    }
    world.luo.drop(session);
  },
};

export const closeMemfd: Kind<CloseMemfd> = {
  says: 'close a memfd that came back',
  weight: 60,
  silenceable: true,
  since: '6.19',
  only: 'sessions',
  fields: { of: OBJECT },
  weightNow: (weight, world) => (world.luo.files.some(isAtHand) ? weight : 0),
  draw: (draw) =>
    oneOf(draw, draw.world.luo.files, (file) => {
      return isAtHand(file) && file.session === undefined && file.came === undefined;
    }),
  calls: (world, { of }) => {
    const file = world.luo.file(of);
    if (file === undefined || !isAtHand(file)) return NO_CALLS;
    if (file.session !== undefined || file.came !== undefined) return NO_CALLS;
    return [call('luoCloseFile', { pfn: file.pages[0]!, count: file.count })];
  },
  settle: (world, { of }) => {
    const file = world.luo.file(of);
    if (file !== undefined) world.luo.dropFile(file);
  },
};
