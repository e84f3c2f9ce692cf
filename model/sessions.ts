/**
 * What the world knows of live update sessions and of the memfds in them.
 *
 * A session is known by the step that created it, a file by the step that gave it to a session;
 * both survive a jump with a handover, as the caller remembers their names and tokens.
 */
import { sessionName } from './call.ts';
import { FILE_TOKENS, SESSION_NAMES } from './machines.ts';

const INDEX_OF_NAME = new Map(
  Array.from({ length: SESSION_NAMES }, (_, index) => [sessionName(index), index]),
);

/** Index of a session's name, or -1. */
export const sessionIndex = (name: string): number => INDEX_OF_NAME.get(name) ?? -1;

/** A session: it will be handed over (`out`), or it was (`in`). */
export interface Session {
  /** The step that created it. */
  readonly id: number;
  /** Index of its name. */
  readonly name: number;
  side: 'out' | 'in';
  retrieved: boolean;
}

/** A memfd: in a session, or with the caller alone (`session` undefined). */
export interface Memfd {
  /** The step that made it. */
  readonly id: number;
  token: number;
  session: Session | undefined;
  /** The session that it came in, as long as that is not finished. */
  came: Session | undefined;
  /** Frames of its pages, in order. */
  pages: readonly number[];
  /** Number of its pages, whoever has them. */
  readonly count: number;
  /** Whether somebody retrieved it since the last jump. */
  retrieved: boolean;
}

/** The first names mean something: no name at all, and the longest. */
const FIRST_NAME = 1;

export class Sessions {
  sessions: Session[] = [];
  files: Memfd[] = [];

  /** Whether there is anything at all to speak of. */
  get any(): boolean {
    return this.sessions.length > 0 || this.files.length > 0;
  }

  /** The first session that a step created and that is still there. */
  session(id: number): Session | undefined {
    return this.sessions.find((session) => session.id === id);
  }

  /** The first file that a step made and that is still there. */
  file(id: number): Memfd | undefined {
    return this.files.find((file) => file.id === id);
  }

  /** Names that no session has, ascending: as many as `count`, or all that are left. */
  freeNames(count: number): readonly number[] {
    const used = new Set(this.sessions.map(({ name }) => name));
    const free: number[] = [];
    for (let name = FIRST_NAME; name < SESSION_NAMES && free.length < count; name++) {
      if (!used.has(name)) free.push(name);
    }
    return free;
  }

  /** The same for tokens. */
  freeTokens(count: number): readonly number[] {
    const used = new Set(this.files.map(({ token }) => token));
    const free: number[] = [];
    for (let token = 0; token < FILE_TOKENS && free.length < count; token++) {
      if (!used.has(token)) free.push(token);
    }
    return free;
  }

  filesOf(session: Session): readonly Memfd[] {
    return this.files.filter((file) => file.session === session || file.came === session);
  }

  drop(session: Session): void {
    this.sessions.splice(this.sessions.indexOf(session), 1);
  }

  dropFile(file: Memfd): void {
    this.files.splice(this.files.indexOf(file), 1);
  }

  /** What will be handed over is what came; whatever came before and was not kept is gone. */
  crossOver(): void {
    if (!this.any) return;
    this.sessions = this.sessions.filter(({ side }) => side === 'out');
    for (const session of this.sessions) session.side = 'in';
    this.files = this.files.filter(({ session }) => session !== undefined);
    for (const file of this.files) {
      file.came = file.session;
      file.session = undefined;
      file.pages = [];
      file.retrieved = false;
    }
  }

  forget(): void {
    this.sessions = [];
    this.files = [];
  }
}
