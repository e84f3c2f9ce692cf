/**
 * From files of a kernel tree to the description of its ABI.
 *
 * Files are read once and laid out for every target; only where a condition depends on the target
 * is everything read again for each. Whatever could not be read is listed, with its place.
 */
import { treeItems } from './code.ts';
import {
  ABI_FORMAT,
  ABI_VERSION,
  type AbiConstant,
  type AbiDescription,
  type AbiEnum,
  type AbiStruct,
  type Place,
  type TargetAbi,
  type TreeItem,
} from './description.ts';
import { docFindings } from './doc-findings.ts';
import { docsOf, meaningOf, type FileDocs } from './docs.ts';
import { concatenated, EvaluationError } from './evaluate.ts';
import { Layouts, type FieldLayout } from './layout.ts';
import { lex, type Lexed, type SourceText } from './lexer.ts';
import { END, expand, MacroError, type Macro } from './macros.ts';
import { parse, type Declarations } from './parse.ts';
import { CONSTANTS, ENUMS, ROLES, hasRole, roleOf, STRUCTS, type Role } from './places.ts';
import { preprocess, type Preprocessed, type Problem } from './preprocess.ts';
import { FIRST_TARGET, TARGETS, type Target } from './targets.ts';
import { namedItems, sampleItems } from './tree-items.ts';

/** What is read, and as what. */
export interface ReadOptions {
  /** Release or series, where the files do not say it. */
  readonly kernel?: string | undefined;
  /** Whether every file is an ABI header, wherever it lies. */
  readonly allHeaders?: boolean;
}

const HEADERS = ROLES[0]!;

interface Unit {
  readonly lexed: Lexed;
  readonly role: Role;
}

/** One reading of all files. */
class Reading {
  readonly units: readonly Unit[];
  readonly pre: Preprocessed;
  readonly declared: Declarations;
  /** Keys of the structures that count, in the order of their files. */
  readonly structs: readonly string[];
  /** Macros that count and that take no arguments. */
  readonly macros: readonly Macro[];
  readonly #roles: ReadonlyMap<string, Role>;

  constructor(units: readonly Unit[], target: Target) {
    this.units = units;
    this.#roles = new Map(units.map(({ lexed, role }) => [lexed.path, role]));
    this.pre = preprocess(
      units.map(({ lexed }) => lexed),
      target,
    );
    this.declared = parse(this.pre);
    this.structs = this.#structs();
    this.macros = this.#macros();
  }

  isHeader(file: string): boolean {
    return this.#roles.get(file)?.everything === true;
  }

  #structs(): readonly string[] {
    const { records } = this.declared;
    return [...records.values()]
      .filter(({ name, file, key }) => {
        if (name === undefined) return false;
        return this.isHeader(file) || STRUCTS.test(key);
      })
      .map(({ key }) => key);
  }

  #macros(): readonly Macro[] {
    return this.pre.macros.all().filter(({ name, parameters, body, file }) => {
      if (parameters !== undefined || body.length === 0 || file === '') return false;
      return this.isHeader(file) || (CONSTANTS.test(name) && this.#roles.has(file));
    });
  }

  enums(): readonly AbiEnum[] {
    return [...this.declared.enums.values()].flatMap(({ key, name, values, file, line }) => {
      if (name === undefined && !this.isHeader(file)) return [];
      if (!this.isHeader(file) && !ENUMS.test(key)) return [];
      return [{ name: key, values: values.map((each) => each.name), file, line }];
    });
  }
}

/** Text of a macro that is a string, in pieces or through other macros. */
const textOf = (reading: Reading, { body }: Macro): string | undefined => {
  try {
    return concatenated(expand(body, reading.pre.macros, END));
  } catch (error) {
    if (error instanceof MacroError) return undefined;
    throw error;
  }
};

const plain = ({ file: _f, line: _l, members, ...rest }: FieldLayout): TargetField => ({
  ...rest,
  ...(members === undefined ? {} : { members: members.map(plain) }),
});

type TargetField = TargetAbi['layouts'][string]['fields'][number];

const asNumber = (bits: bigint): number | string =>
  bits <= BigInt(Number.MAX_SAFE_INTEGER) && bits >= -BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(bits)
    : String(bits);

/** Everything that depends on the target, and what could not be laid out. */
const onTarget = (
  reading: Reading,
  target: Target,
  problems: Problem[],
): { readonly abi: Omit<TargetAbi, 'targets'>; readonly layouts: Layouts } => {
  const { declared, pre } = reading;
  const layouts = new Layouts(declared, pre.macros, target);
  const sizes: Record<string, TargetAbi['layouts'][string]> = {};
  const constants: Record<string, number | string> = {};
  for (const key of reading.structs) {
    try {
      const { size, align, fields } = layouts.record(key);
      sizes[key] = { size, align, fields: fields.map(plain) };
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      const { file, line } = error.token ?? declared.records.get(key)!;
      problems.push({ file, line, message: `${key}: ${error.message}`, about: key });
    }
  }
  const attempt = (name: string, compute: () => bigint): void => {
    try {
      constants[name] = asNumber(compute());
    } catch (error) {
      // A macro need not be a constant; one that a structure needs is complained about there.
      if (!(error instanceof EvaluationError || error instanceof MacroError)) throw error;
    }
  };
  for (const macro of reading.macros) {
    if (textOf(reading, macro) !== undefined) continue;
    attempt(macro.name, () => layouts.evaluateMacro(macro.body));
  }
  for (const { values } of reading.enums()) {
    for (const name of values) attempt(name, () => layouts.value(name) ?? notKnown(name));
  }
  return { abi: { layouts: sizes, constants }, layouts };
};

const notKnown = (name: string): never => {
  throw new EvaluationError(`the value of ${name} is not known`, undefined);
};

/** Targets that agree, together. */
const grouped = (all: readonly (readonly [Target, Omit<TargetAbi, 'targets'>])[]): TargetAbi[] => {
  const groups = new Map<string, { targets: string[]; abi: Omit<TargetAbi, 'targets'> }>();
  for (const [target, abi] of all) {
    const key = JSON.stringify(abi);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { targets: [target.name], abi });
    else group.targets.push(target.name);
  }
  return [...groups.values()].map(({ targets, abi }) => ({ targets, ...abi }));
};

const OWNER = /_(?:COMPATIBLE|COMPAT|VERSION)$/;

/** Structures that no comment and no file says the owner of. */
const OWNERS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/ kho_data$/, []],
  [/ (?:kho_|khoser_)/, ['KHO_FDT_COMPATIBLE']],
  [/ luo_/, ['LUO_ABI_COMPATIBLE', 'LUO_FDT_COMPATIBLE']],
  [/ memfd_/, ['MEMFD_LUO_FH_COMPATIBLE']],
];

/** Macros of the strings that have to change when a structure does. */
const ownersOf = (
  reading: Reading,
  docs: readonly FileDocs[],
  { name, file }: { readonly name: string; readonly file: string },
): readonly string[] => {
  const of = docs.find((each) => each.file === file);
  const comment = of?.structs.find((each) => each.name === name);
  const defined = (macro: string): boolean => reading.pre.macros.lookup(macro, END) !== undefined;
  const named = [...(comment?.text.matchAll(/\b[A-Z][A-Z0-9_]+\b/g) ?? [])].map(([word]) => word);
  const own = named.filter((macro) => OWNER.test(macro) && defined(macro));
  if (own.length > 0) return [...new Set(own)];
  const files = of?.owners.map(({ text }) => text).filter(defined) ?? [];
  if (files.length > 0) return [...new Set(files)];
  const beside = reading.macros
    .filter((macro) => macro.file === file && OWNER.test(macro.name))
    .map((macro) => macro.name);
  if (beside.length > 0 && reading.isHeader(file)) return beside;
  const known = OWNERS.find(([pattern]) => pattern.test(name))?.[1] ?? [];
  return known.filter(defined);
};

const structsOf = (reading: Reading, docs: readonly FileDocs[]): AbiStruct[] =>
  reading.structs.map((key) => {
    const { fields, packed, file, line } = reading.declared.records.get(key)!;
    const doc = docs.flatMap(({ structs }) => structs).find(({ name }) => name === key);
    const means = Object.entries(doc?.members ?? {}).map(
      ([member, text]) => [member, meaningOf(text)] as const,
    );
    const lines = fields.flatMap((field) =>
      field.name ? [[field.name, field.line] as const] : [],
    );
    const asserted = reading.declared.asserts.some(({ condition }) => {
      const text = condition.map((token) => token.text).join(' ');
      return text.includes(`sizeof ( ${key} )`);
    });
    return {
      name: key,
      packed,
      means: Object.fromEntries(means),
      lines: Object.fromEntries(lines),
      ownedBy: ownersOf(reading, docs, { name: key, file }),
      sizeAsserted: asserted,
      file,
      line,
    };
  });

const constantsOf = (reading: Reading, known: ReadonlySet<string>): AbiConstant[] =>
  reading.macros.flatMap((macro) => {
    const { name, body, file, line } = macro;
    const text = textOf(reading, macro);
    if (text === undefined && !known.has(name)) return [];
    const madeOf = body.flatMap((token) =>
      token.kind === 'name' && reading.pre.macros.lookup(token.text, END) ? [token.text] : [],
    );
    return [{ name, text, madeOf: [...new Set(madeOf)], file, line }];
  });

/** How static asserts fare on the targets that KHO runs on. */
const assertsOf = (reading: Reading, layouts: readonly Layouts[]): AbiDescription['asserts'] => {
  const failed: Place[] = [];
  let held = 0;
  for (const { condition, file, line } of reading.declared.asserts) {
    try {
      if (layouts.every((each) => each.evaluate(condition) !== 0n)) held++;
      else failed.push({ file, line });
    } catch (error) {
      // Asserts about things that are no part of the ABI cannot be evaluated, and need not be.
      if (!(error instanceof EvaluationError)) throw error;
    }
  }
  return { held, failed };
};

const VERSION = /^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)[ \t]*=[ \t]*(.*)$/gm;

/** The release that a kernel's top Makefile says. */
const releaseOf = (files: readonly SourceText[]): string | undefined => {
  const text = files.find(({ path }) => /^(?:.*\/)?Makefile$/.test(path))?.text ?? '';
  const said = Object.fromEntries(
    [...text.matchAll(VERSION)].map(([, key, value]) => [key!, value!]),
  );
  const { VERSION: major, PATCHLEVEL: minor, SUBLEVEL: patch, EXTRAVERSION: extra } = said;
  if (!major || !minor) return undefined;
  return `${major}.${minor}${patch && patch !== '0' ? `.${patch}` : ''}${extra ?? ''}`;
};

const TREES: readonly (readonly [RegExp, string])[] = [
  [/kexec_handover\.[ch]$/, 'root'],
  [/luo\w*\.[ch]$/, 'LUO'],
  [/test_kho\.c$/, 'kho_test'],
];

/** The tree that a header is about: the subtree of its own name where nothing else is known. */
const treeOfHeader = (file: string): string =>
  TREES.find(([pattern]) => pattern.test(file))?.[1] ??
  file.replace(/^.*\//, '').replace(/\.\w+$/, '');

const treeOf = (reading: Reading, docs: readonly FileDocs[]): readonly TreeItem[] => {
  const code = reading.units.flatMap(({ lexed, role }) =>
    role.tree === undefined ? [] : treeItems(lexed.tokens, role.tree, reading.pre.macros),
  );
  const shown = docs.flatMap(({ file, samples }) => sampleItems(samples, treeOfHeader(file)));
  const named = reading.macros.flatMap((macro) => {
    const text = textOf(reading, macro);
    return text === undefined ? [] : namedItems(macro, text, treeOfHeader(macro.file));
  });
  // What comments show and names say counts where the code that would tell is not at hand.
  const told = new Set(reading.units.map(({ role }) => role.tree));
  const seen = new Map<string, TreeItem>();
  const others = [...shown, ...named].filter(({ tree }) => !told.has(tree));
  for (const item of [...code, ...others]) {
    const key = `${item.tree} ${item.kind} ${item.name}`;
    if (!seen.has(key)) seen.set(key, item);
  }
  return [...seen.values()];
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Problems that matter: all of an ABI header, elsewhere those about what counts. */
const thatMatter = (reading: Reading, all: readonly Problem[]): Problem[] => {
  const seen = new Set<string>();
  return all.filter(({ file, line, message, about }) => {
    if (!reading.isHeader(file) && !(about !== undefined && STRUCTS.test(about))) return false;
    const key = `${file}:${line}:${message}`;
    return !seen.has(key) && seen.add(key);
  });
};

/** Reads files into a description; those that hold nothing of the ABI are passed over. */
export const readAbi = (
  files: readonly SourceText[],
  options: ReadOptions = {},
): AbiDescription => {
  const units = files
    .flatMap((file) => {
      const found = options.allHeaders && file.path.endsWith('.h') ? HEADERS : roleOf(file.path);
      return found === undefined ? [] : [{ file, role: found }];
    })
    .sort(
      (a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role) || compare(a.file.path, b.file.path),
    );
  const sources = units.filter(({ file }) => !file.path.endsWith('.yaml'));
  const lexed = sources.map(({ file, role }) => ({ lexed: lex(file), role }));
  const first = new Reading(lexed, FIRST_TARGET);
  const problems: Problem[] = [...first.pre.problems, ...first.declared.problems];
  const read = TARGETS.map((target) => {
    const anew = first.pre.dependsOnTarget && target !== FIRST_TARGET;
    const reading = anew ? new Reading(lexed, target) : first;
    return [target, onTarget(reading, target, problems)] as const;
  });
  const docs = lexed
    .filter(({ role }) => role.everything)
    .map(({ lexed: { path, comments } }) => docsOf(path, comments));
  const known = new Set(read.flatMap(([, { abi }]) => Object.keys(abi.constants)));
  const kernel = options.kernel ?? releaseOf(files);
  const roles = ROLES.map((role) => {
    const of = units.filter((unit) => unit.role === role).map(({ file }) => file.path);
    return { role, files: of };
  });
  const supported = read.flatMap(([target, { layouts }]) => (target.supported ? [layouts] : []));
  const description: AbiDescription = {
    format: ABI_FORMAT,
    version: ABI_VERSION,
    kernel,
    sources: roles.flatMap(({ role, files: of }) =>
      of.length > 0 ? [{ role: role.name, files: of }] : [],
    ),
    missing: roles.flatMap(({ role, files: of }) => {
      const wanted = role.name !== 'documents' && hasRole(role, kernel);
      return of.length === 0 && wanted ? [`${role.name}: ${role.holds}`] : [];
    }),
    structs: structsOf(first, docs),
    enums: first.enums(),
    constants: constantsOf(first, known),
    targets: grouped(read.map(([target, { abi }]) => [target, abi] as const)),
    tree: treeOf(first, docs),
    docs: [],
    problems: thatMatter(first, problems).map(({ file, line, message }) => ({
      file,
      line,
      message,
    })),
    unknownOptions: first.pre.unknownOptions.filter(({ file }) => first.isHeader(file)),
    asserts: assertsOf(first, supported),
  };
  return { ...description, docs: docFindings(description, docs, files) };
};
