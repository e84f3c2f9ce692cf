/**
 * The live update orchestrator of one kernel: sessions that it will hand over, and those that came.
 *
 * What the previous kernel named in the tree is looked at early in the boot, whatever becomes of it
 * later; its sessions are read when somebody opens the device. What goes is written down right
 * before the jump, into memory that was taken and preserved beforehand.
 */
import type { Call } from '#model/call';
import { sessionName } from '#model/call';
import { FILE, SESSION } from '#src/abi/description/luo-structs';
import type { LuoFormat } from '#src/abi/description/luo-structs';
import { LUO } from '#src/abi/description/sub-blobs';
import { generationOf } from './boot.ts';
import type { Debugfs } from './debugfs.ts';
import { EBUSY, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC } from './errno.ts';
import { hasFlbs, luoOf, misfit, readHead, textAt, writeHead, writeText } from './luo-format.ts';
import type { Head } from './luo-format.ts';
import { limitOf, linkBlocks, readList, roomOf, writeList } from './luo-lists.ts';
import type { ListRead } from './luo-lists.ts';
import { LuoMemory } from './luo-memory.ts';
import type { LuoMemoryHost } from './luo-memory.ts';
import { Memfds } from './memfd.ts';
import type { KeptMemfd } from './memfd.ts';
import type { OutgoingTree } from './outgoing-tree.ts';
import { readU64, writeU64 } from './physical-memory.ts';

/** What the orchestrator works with. */
export interface LuoHost extends LuoMemoryHost {
  readonly outgoing: OutgoingTree;
  readonly debugfs: Debugfs;
}

/** A session that will be handed over: its files by token, and the blocks that list them. */
interface SessionToGo {
  readonly files: Map<number, KeptMemfd>;
  readonly blocks: number[];
}

/** A file that came: the frame of its state, and once somebody retrieved it, its pages. */
interface FileThatCame {
  readonly state: number;
  pages: readonly number[] | undefined;
}

/** A session that came. */
interface SessionThatCame {
  retrieved: boolean;
  readonly files: Map<number, FileThatCame>;
  readonly blocks: readonly number[];
}

export class Orchestrator {
  readonly #host: LuoHost;
  readonly #memory: LuoMemory;
  readonly #format: LuoFormat | undefined;
  readonly #memfds: Memfds | undefined;
  /** What the previous kernel's orchestrator left; undefined without any, or once it is read. */
  #left: (Head & { readonly frame: number; readonly list: ListRead }) | undefined;
  /** What the previous kernel left and this one did not look at. */
  readonly passedOver: readonly string[];
  #head = 0;
  #flbs = 0;
  /** Number of live updates in the chain up to this kernel. */
  #number = 0;
  /** The array of sessions, or its blocks. */
  #blocks: number[] = [];
  #toGo = new Map<string, SessionToGo>();
  #came = new Map<string, SessionThatCame>();
  /** Pages of files that somebody has, by the first of them. */
  #open = new Map<number, readonly number[]>();

  /** @param incoming frame of the blob that the previous kernel named; -1 for none */
  constructor(host: LuoHost, incoming: number) {
    this.#host = host;
    this.#memory = new LuoMemory(host);
    const generation = generationOf(host.platform);
    this.#format = generation.luo;
    if (generation.luo !== undefined) {
      this.#memfds = new Memfds(host, this.#memory, generation.luo.memfd);
    }
    const page = incoming < 0 ? undefined : host.platform.memory.page(incoming);
    const { luoKnownChildren } = host.platform.decisions;
    const head = readHead(page, generation, luoKnownChildren);
    this.passedOver = head?.passedOver ?? [];
    if (head !== undefined && generation.luo !== undefined) {
      const { sessions } = generation.luo;
      const list = this.#read(sessions, head.sessions, 0, SESSION.bytes) ?? misfit();
      this.#left = { ...head, frame: incoming, list };
      this.#number = head.number;
    }
  }

  #read(
    format: LuoFormat['sessions'],
    phys: number,
    told: number,
    bytes: number,
  ): ListRead | undefined {
    return readList(this.#host.platform.memory, format, phys, told, bytes);
  }

  #physOf(frame: number): number {
    return frame * this.#host.platform.topology.pageBytes;
  }

  state(): unknown {
    const counts = [this.#head, this.#flbs, this.#number];
    const lists = [this.#blocks, this.#toGo, this.#came, this.#open, this.#memfds];
    return [this.#left, this.passedOver, counts, ...lists];
  }

  save(): () => void {
    const [left, head, flbs, number] = [this.#left, this.#head, this.#flbs, this.#number];
    const lists = this.#lists();
    const memfds = this.#memfds?.save();
    return () => {
      [this.#left, this.#head, this.#flbs, this.#number] = [left, head, flbs, number];
      [this.#blocks, this.#toGo, this.#came, this.#open] =
        lists === undefined ? [[], new Map(), new Map(), new Map()] : structuredClone(lists);
      memfds?.();
    };
  }

  /** A copy of all lists; undefined when they are all empty. */
  #lists() {
    const lists = [this.#blocks, this.#toGo, this.#came, this.#open] as const;
    const { length } = this.#blocks;
    const count = length + this.#toGo.size + this.#came.size + this.#open.size;
    return count === 0 ? undefined : structuredClone(lists);
  }

  get #blockList(): boolean {
    return this.#format?.sessions.kind === 'blocks';
  }

  /** Comes up, names its head and reads what came; answers the frame of the head. */
  luoStart(_call: Call): number {
    const { outgoing, debugfs, platform } = this.#host;
    const blob = luoOf(generationOf(platform));
    if (blob === undefined || this.#format === undefined) return -ENOENT;
    const { decisions } = platform;
    this.#memory.begin();
    const head = this.#memory.take(0);
    for (let page = 1; page < decisions.luoHeadPages; page++) this.#memory.take(0);
    const { sessions } = this.#format;
    const order = sessions.kind === 'array' ? Math.log2(sessions.pages) : -1;
    const array = head < 0 || order < 0 ? 0 : this.#memory.take(order);
    const flbs = head < 0 || array < 0 || !hasFlbs(blob) ? 0 : this.#memory.take(0);
    if (head < 0 || array < 0 || flbs < 0) return this.#memory.undo();
    const { pageBytes } = platform.topology;
    const bytes = this.#blockList ? LUO.bytes : pageBytes;
    const named = outgoing.add(LUO.name, this.#physOf(head), bytes);
    if (named < 0 && decisions.luoNeedsName) {
      this.#memory.undo();
      return named;
    }
    if (named === 0) debugfs.add(LUO.name, this.#physOf(head), bytes);
    this.#memory.done();
    this.#head = head;
    this.#flbs = flbs;
    if (array > 0) this.#blocks.push(array);
    // Of bound objects there are none; up to 7.1 their header says how many pages it has.
    if (flbs > 0) writeU64(platform.memory.pageForWriting(flbs), 0, 1);
    this.#writeHead();
    this.#readSessions();
    return head;
  }

  #writeHead(): void {
    const { platform } = this.#host;
    const blob = luoOf(generationOf(platform));
    if (blob === undefined || this.#head === 0) return;
    const page = platform.memory.pageForWriting(this.#head).fill(0);
    const first = this.#physOf(this.#blocks[0] ?? 0);
    writeHead(page, blob, this.#number + 1, first, this.#physOf(this.#flbs));
  }

  /** Reads what the previous kernel left, and gives the list of sessions back. */
  #readSessions(): void {
    const left = this.#left;
    if (left === undefined || this.#format === undefined) return;
    this.#left = undefined;
    for (const entry of left.list.entries) {
      const name = textAt(entry, SESSION.name, SESSION.nameBytes);
      const told = readU64(entry, SESSION.fileCount);
      const phys = readU64(entry, SESSION.files);
      const list = this.#read(this.#format.files, phys, told, FILE.bytes);
      const files = new Map<number, FileThatCame>();
      for (const file of list?.entries ?? []) {
        const state = readU64(file, FILE.data) / this.#host.platform.topology.pageBytes;
        files.set(readU64(file, FILE.token), { state, pages: undefined });
      }
      this.#came.set(name, { retrieved: false, files, blocks: list?.blocks ?? [] });
    }
    const { luoGivesListBack } = this.#host.platform.decisions;
    for (const block of luoGivesListBack ? left.list.blocks : []) this.#memory.restoreFree(block);
    if (this.#blockList) this.#memory.restoreFree(left.frame);
  }

  luoCreateSession({ name: index }: Call): number {
    const { platform } = this.#host;
    const { decisions, topology } = platform;
    const { sessions } = this.#format!;
    const name = sessionName(index);
    if (name === '' && decisions.luoChecksNames) return -EINVAL;
    const limit = limitOf(sessions, topology.pageShift, SESSION.bytes);
    const full = this.#toGo.size >= limit && decisions.luoLimitsSessions;
    if (full) return this.#blockList ? -ENOSPC : -ENOMEM;
    this.#memory.begin();
    const room = decisions.luoSessionRoom(roomOf(sessions, topology.pageShift, SESSION.bytes));
    if (!this.#grow(this.#blocks, this.#toGo.size + 1, room)) return this.#memory.undo();
    if (this.#toGo.has(name) && decisions.luoRefusesTakenNames) {
      if (!decisions.luoShrinksWhenRefused) this.#memory.done();
      else this.#blocks.length -= this.#undoCount();
      return -EEXIST;
    }
    this.#memory.done();
    this.#toGo.set(name, { files: new Map(), blocks: [] });
    return 0;
  }

  /** Gives back what was taken since `begin`; answers how many blocks that were. */
  #undoCount(): number {
    const blocks = this.#memory.taken;
    this.#memory.undo();
    return blocks;
  }

  /** Adds a block to a list of blocks without room for `count` entries; false without memory. */
  #grow(blocks: number[], count: number, room: number): boolean {
    if (!this.#blockList || count <= blocks.length * room) return true;
    const block = this.#memory.take(0);
    if (block >= 0) blocks.push(block);
    return block >= 0;
  }

  luoCloseSession({ name }: Call): number {
    const session = this.#toGo.get(sessionName(name));
    if (session === undefined) return -ENOENT;
    const { decisions, topology } = this.#host.platform;
    this.#memory.begin();
    for (const file of [...session.files.values()].reverse()) {
      this.#memfds!.drop(file);
      this.#open.delete(file.pages[0] ?? 0);
    }
    const order = this.#fileListOrder;
    if (decisions.luoClosingFreesList) {
      for (const block of session.blocks) this.#memory.release(block, order);
    }
    this.#toGo.delete(sessionName(name));
    const room = roomOf(this.#format!.sessions, topology.pageShift, SESSION.bytes);
    while (this.#blockList && this.#toGo.size <= (this.#blocks.length - 1) * room) {
      this.#memory.release(this.#blocks.pop()!, 0);
    }
    return 0;
  }

  /** log2 of the pages of one piece of a session's list. */
  get #fileListOrder(): number {
    const { files } = this.#format!;
    return files.kind === 'array' ? Math.log2(files.pages) : 0;
  }

  luoPreserveFile({ name, value: token, pfn, count }: Call): number {
    const session = this.#toGo.get(sessionName(name));
    if (session === undefined) return -ENOENT;
    const { decisions, topology } = this.#host.platform;
    if (session.files.has(token) && decisions.luoChecksTokens) return -EEXIST;
    const { files } = this.#format!;
    const limit = limitOf(files, topology.pageShift, FILE.bytes);
    if (session.files.size >= limit && decisions.luoLimitsFiles) return -ENOSPC;
    if (decisions.luoKnowsFiles && this.#isInSession(pfn)) return -EBUSY;
    return this.#preserve(session, token, pfn, count);
  }

  /** Whether a session has the file that begins with this page. */
  #isInSession(pfn: number): boolean {
    if (pfn === 0) return false;
    const begins = (pages: readonly number[] | undefined): boolean => pages?.[0] === pfn;
    for (const { files } of this.#toGo.values()) {
      for (const { pages } of files.values()) if (begins(pages)) return true;
    }
    for (const { files } of this.#came.values()) {
      for (const { pages } of files.values()) if (begins(pages)) return true;
    }
    return false;
  }

  #preserve(session: SessionToGo, token: number, pfn: number, count: number): number {
    const { answer, booted, platform } = this.#host;
    const { files } = this.#format!;
    this.#memory.begin();
    const blocks = session.blocks.length;
    const room = roomOf(files, platform.topology.pageShift, FILE.bytes);
    if (!this.#growFiles(session, room)) return this.#memory.undo();
    const { luoSparePages } = platform.decisions;
    for (let page = 0; page < luoSparePages; page++) this.#memory.take(0);
    const pages = pfn === 0 ? this.#memfds!.makePages(count) : this.#open.get(pfn);
    const kept = pages && this.#memfds!.preserve(pages);
    if (kept === undefined) {
      session.blocks.length = blocks;
      if (pfn === 0) for (const page of pages ?? []) booted.allocator.free(page, 0);
      return this.#memory.undo();
    }
    this.#memory.done();
    session.files.set(token, kept);
    for (const page of kept.pages) answer.pages.add(page, 1);
    return 0;
  }

  /** Makes room for one more file; false when memory is short. */
  #growFiles(session: SessionToGo, room: number): boolean {
    if (this.#format!.files.kind === 'blocks') {
      return this.#grow(session.blocks, session.files.size + 1, room);
    }
    if (session.blocks.length > 0) return true;
    const array = this.#memory.take(this.#fileListOrder);
    if (array >= 0) session.blocks.push(array);
    return array >= 0;
  }

  luoRetrieveSession({ name }: Call): number {
    const session = this.#came.get(sessionName(name));
    if (session === undefined) return -ENOENT;
    if (session.retrieved && this.#host.platform.decisions.luoRetrievesOnce) return -EINVAL;
    session.retrieved = true;
    return 0;
  }

  luoRetrieveFile({ name, value: token }: Call): number {
    const { platform, answer } = this.#host;
    const files = this.#came.get(sessionName(name))?.files;
    const [first] = platform.decisions.luoFindsByToken ? [] : (files?.values() ?? []);
    const file = files?.get(token) ?? first;
    if (file === undefined) return -ENOENT;
    if (file.pages === undefined || !platform.decisions.luoRemembersFiles) {
      this.#memory.begin();
      const pages = this.#memfds!.retrieve(file.state);
      if (pages === undefined) return -EINVAL;
      file.pages = pages;
      if (pages.length > 0) this.#open.set(pages[0]!, pages);
    }
    for (const page of file.pages) answer.pages.add(page, 1);
    answer.bytes = file.pages.length * platform.topology.pageBytes;
    return 0;
  }

  luoFinishSession({ name }: Call): number {
    const session = this.#came.get(sessionName(name));
    if (session === undefined) return -ENOENT;
    const { decisions } = this.#host.platform;
    this.#memory.begin();
    for (const { state, pages } of [...session.files.values()].reverse()) {
      if (pages !== undefined || !decisions.luoFinishFreesFiles) continue;
      for (const page of this.#memfds!.retrieve(state) ?? []) this.#memory.givePage(page);
    }
    if (decisions.luoFinishFreesList) {
      for (const block of session.blocks) this.#memory.restoreFree(block);
    }
    this.#came.delete(sessionName(name));
    return 0;
  }

  luoCloseFile({ pfn }: Call): number {
    const pages = this.#open.get(pfn) ?? [];
    this.#memory.begin();
    const { luoClosedPages } = this.#host.platform.decisions;
    for (const page of pages.slice(0, luoClosedPages(pages.length))) this.#memory.givePage(page);
    this.#open.delete(pfn);
    return 0;
  }

  /** Writes down what goes, right before the jump. */
  serialize(): void {
    if (this.#head === 0) return;
    const { memory } = this.#host.platform;
    const { decisions } = this.#host.platform;
    const entries = [...this.#toGo].map(([name, { files, blocks }]) => {
      const listed = [...files].slice(0, decisions.luoListedFiles(files.size));
      this.#writeFiles(blocks, listed);
      const entry = new Uint8Array(SESSION.bytes);
      writeText(entry, SESSION.name, name);
      writeU64(entry, SESSION.files, this.#physOf(blocks[0] ?? 0));
      writeU64(entry, SESSION.fileCount, listed.length);
      return entry;
    });
    const { sessions } = this.#format!;
    writeList(memory, sessions, this.#blocks, entries, SESSION.bytes);
    linkBlocks(memory, sessions, this.#blocks);
    this.#writeHead();
  }

  #writeFiles(blocks: readonly number[], files: readonly [number, KeptMemfd][]): void {
    const { memory } = this.#host.platform;
    const { files: format, memfd } = this.#format!;
    const entries = files.map(([token, { state }]) => {
      const entry = new Uint8Array(FILE.bytes);
      writeText(entry, FILE.compatible, memfd.compatible);
      writeU64(entry, FILE.data, this.#physOf(state));
      writeU64(entry, FILE.token, token);
      return entry;
    });
    writeList(memory, format, blocks, entries, FILE.bytes);
    linkBlocks(memory, format, blocks);
  }
}
