/**
 * Conditionals, definitions and includes of a set of files, in one pass.
 *
 * The result is one row of tokens without directives, and the table of macros. A place in that row
 * is what definitions count by. Code that depends on a configuration option that nobody said
 * anything about is taken as if the option were off, and the option is noted.
 */
import { isOfTarget, builtinValue, HELPER_MACROS } from './builtins.ts';
import { evaluate, EvaluationError } from './evaluate.ts';
import type { Lexed, Token } from './lexer.ts';
import { expand, MacroError, MacroTable } from './macros.ts';
import type { Target } from './targets.ts';

/** Something in the sources that could not be read, or not for sure. */
export interface Problem {
  readonly file: string;
  /** Line, from 1. */
  readonly line: number;
  readonly message: string;
  /** Key of the structure that it is about, where that is known. */
  readonly about?: string;
}

/** What was read. */
export interface Preprocessed {
  readonly tokens: readonly Token[];
  readonly macros: MacroTable;
  readonly problems: readonly Problem[];
  /** Options that a condition asked for and that nobody knows, with the place. */
  readonly unknownOptions: readonly Problem[];
  /** Whether a condition depends on the target: then other targets have to be read anew. */
  readonly dependsOnTarget: boolean;
}

/** Options that a kernel with KHO has, and tests of the kernel, which do not count. */
const OPTIONS: Readonly<Record<string, boolean>> = {
  CONFIG_KEXEC_HANDOVER: true,
  CONFIG_KEXEC_HANDOVER_DEBUG: false,
  CONFIG_KEXEC_HANDOVER_DEBUGFS: true,
  CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT: true,
  CONFIG_KEXEC_FILE: true,
  CONFIG_KEXEC_CORE: true,
  CONFIG_KEXEC: true,
  CONFIG_CMA: true,
  CONFIG_DEBUG_FS: true,
  CONFIG_LIVEUPDATE: true,
  CONFIG_LIVEUPDATE_TEST: false,
  CONFIG_MEMFD_CREATE: true,
  CONFIG_OF_FLATTREE: true,
  CONFIG_MMU: true,
  CONFIG_SMP: true,
  CONFIG_NUMA: true,
};

interface Group {
  /** Whether the lines that are read now count. */
  active: boolean;
  /** Whether one of the branches counted already. */
  taken: boolean;
  readonly parent: boolean;
}

const INCLUDE = /^[<"](.+)[>"]$/;

class Preprocessor {
  readonly tokens: Token[] = [];
  readonly macros = new MacroTable();
  readonly problems: Problem[] = [];
  readonly unknownOptions: Problem[] = [];
  dependsOnTarget = false;
  readonly #files: ReadonlyMap<string, Lexed>;
  readonly #target: Target;
  readonly #seen = new Set<string>();

  constructor(files: readonly Lexed[], target: Target) {
    this.#files = new Map(files.map((file) => [file.path, file]));
    this.#target = target;
    for (const macro of HELPER_MACROS) this.macros.define(macro, 0);
  }

  /** Reads a file unless it was read already. */
  file(lexed: Lexed): void {
    if (this.#seen.has(lexed.path)) return;
    this.#seen.add(lexed.path);
    const groups: Group[] = [];
    const { tokens } = lexed;
    for (let at = 0; at < tokens.length;) {
      const token = tokens[at]!;
      if (token.first && token.text === '#') {
        let end = at + 1;
        while (end < tokens.length && !tokens[end]!.first) end++;
        this.#directive(tokens.slice(at + 1, end), token, groups, lexed.path);
        at = end;
      } else {
        if (groups.at(-1)?.active ?? true) this.tokens.push(token);
        at++;
      }
    }
    if (groups.length > 0) {
      const line = tokens.at(-1)?.line ?? 1;
      this.problems.push({
        file: lexed.path,
        line,
        message: 'a condition is not closed by #endif',
      });
    }
  }

  #directive(line: readonly Token[], hash: Token, groups: Group[], from: string): void {
    const [name, ...rest] = line;
    const active = groups.at(-1)?.active ?? true;
    switch (name?.text) {
      case 'if':
      case 'ifdef':
      case 'ifndef': {
        const holds = active && this.#condition(name, rest);
        groups.push({ active: holds, taken: holds, parent: active });
        return;
      }
      case 'elif':
      case 'else':
        this.#otherwise(name, rest, groups);
        return;
      case 'endif':
        if (groups.pop() === undefined) this.#complain(hash, '#endif without a condition');
        return;
      case 'define':
        if (active) this.#define(rest, hash);
        return;
      case 'undef':
        if (active && rest[0]) this.macros.undefine(rest[0].text, this.tokens.length);
        return;
      case 'include':
        if (active) this.#include(rest, from);
        return;
      case 'error':
        if (active) this.#complain(hash, 'an #error is reached');
        return;
      default:
    }
  }

  #otherwise(name: Token, rest: readonly Token[], groups: Group[]): void {
    const group = groups.at(-1);
    if (group === undefined) {
      this.#complain(name, `#${name.text} without a condition`);
      return;
    }
    const open = group.parent && !group.taken;
    group.active = open && (name.text === 'else' || this.#condition(name, rest));
    group.taken ||= group.active;
  }

  #complain({ file, line }: Token, message: string): void {
    this.problems.push({ file, line, message });
  }

  #isDefined(token: Token): boolean {
    const { text } = token;
    if (this.macros.at(text, this.tokens.length) !== undefined) return true;
    if (text.startsWith('CONFIG_')) return this.#option(token);
    return text === '__KERNEL__';
  }

  /** Whether a configuration option is on. */
  #option(token: Token): boolean {
    const { text, file, line } = token;
    if (isOfTarget(text)) {
      this.dependsOnTarget = true;
      return builtinValue(text, this.#target) !== 0n;
    }
    if (Object.hasOwn(OPTIONS, text)) return OPTIONS[text]!;
    this.unknownOptions.push({ file, line, message: text });
    return false;
  }

  #condition(name: Token, rest: readonly Token[]): boolean {
    const [first] = rest;
    if (first === undefined) {
      this.#complain(name, `#${name.text} without a condition`);
      return false;
    }
    if (name.text === 'ifdef') return this.#isDefined(first);
    if (name.text === 'ifndef') return !this.#isDefined(first);
    try {
      const asked = expand(this.#answered(rest), this.macros, this.tokens.length);
      const value = (text: string, token: Token): bigint => {
        if (isOfTarget(text)) this.dependsOnTarget = true;
        if (text.startsWith('CONFIG_')) return this.#option(token) ? 1n : 0n;
        return builtinValue(text, this.#target) ?? 0n;
      };
      return evaluate(asked, { value, sizeOf: () => undefined }) !== 0n;
    } catch (error) {
      if (!(error instanceof EvaluationError || error instanceof MacroError)) throw error;
      this.#complain(name, `cannot tell whether #${name.text} holds: ${error.message}`);
      return false;
    }
  }

  /** A condition with `defined` and the macros that ask for options answered. */
  #answered(tokens: readonly Token[]): Token[] {
    const out: Token[] = [];
    for (let at = 0; at < tokens.length; at++) {
      const token = tokens[at]!;
      if (!/^(?:defined|IS_(?:ENABLED|BUILTIN|MODULE|REACHABLE))$/.test(token.text)) {
        out.push(token);
        continue;
      }
      const isCall = tokens[at + 1]?.text === '(';
      const asked = tokens[at + (isCall ? 2 : 1)];
      at += isCall ? 3 : 1;
      const holds = asked !== undefined && this.#isDefined(asked);
      out.push({ ...token, kind: 'number', text: holds ? '1' : '0' });
    }
    return out;
  }

  #define(line: readonly Token[], hash: Token): void {
    const [name, ...rest] = line;
    if (name?.kind !== 'name') {
      this.#complain(hash, '#define without a name');
      return;
    }
    const isCall = rest[0]?.text === '(' && !rest[0].spaced;
    const close = isCall ? rest.findIndex(({ text }) => text === ')') : -1;
    if (isCall && close < 0) {
      this.#complain(name, `the parameters of ${name.text} are not closed`);
      return;
    }
    const names = rest.slice(1, Math.max(close, 1)).map(({ text }) => text);
    const parameters = names.filter((each) => each !== ',' && each !== '...');
    const { file, line: at } = name;
    this.macros.define(
      {
        name: name.text,
        parameters: isCall ? parameters : undefined,
        variadic: names.includes('...'),
        body: rest.slice(close + 1),
        file,
        line: at,
      },
      this.tokens.length,
    );
  }

  /** Reads an included file first, when it is one of the set. */
  #include(rest: readonly Token[], from: string): void {
    const said = rest.map(({ text }) => text).join('');
    const path = INCLUDE.exec(said)?.[1];
    if (path === undefined) return;
    const beside = `${from.slice(0, from.lastIndexOf('/') + 1)}${path}`;
    const found =
      this.#files.get(beside) ??
      [...this.#files.values()].find((each) => each.path.endsWith(`include/${path}`)) ??
      [...this.#files.values()].find((each) => each.path.endsWith(`/${path}`));
    if (found !== undefined) this.file(found);
  }
}

/**
 * Runs the preprocessor over files, in their order; what one includes of the others comes first.
 */
export const preprocess = (files: readonly Lexed[], target: Target): Preprocessed => {
  const preprocessor = new Preprocessor(files, target);
  for (const file of files) preprocessor.file(file);
  return preprocessor;
};
