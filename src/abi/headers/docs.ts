/**
 * What comments say of an ABI: sample trees, strings, members, owners.
 *
 * Nothing is understood but forms that are easy to be sure of: a tree in braces, a quoted string
 * with a version, `@member:`, the name of a macro, a list entry about a structure.
 */
import type { Comment } from './lexer.ts';
import type { Meaning, Place } from './description.ts';

/** A node of a sample tree in a comment. */
export interface SampleNode extends Place {
  readonly name: string;
  readonly properties: readonly (Place & { readonly name: string; readonly value: string })[];
  readonly children: readonly SampleNode[];
}

/** A word or two in a comment, with its place. */
export interface Mention extends Place {
  readonly text: string;
}

/** What is said of a structure in the comment before it. */
export interface StructDoc extends Place {
  /** `struct x`. */
  readonly name: string;
  /** What is said of every member, by its name. */
  readonly members: Readonly<Record<string, string>>;
  /** Whole text. */
  readonly text: string;
}

/** What the comments of one file say. */
export interface FileDocs {
  readonly file: string;
  readonly samples: readonly SampleNode[];
  /** Quoted strings that end in a version. */
  readonly strings: readonly Mention[];
  /** Macros that name a string or a version. */
  readonly macros: readonly Mention[];
  readonly structs: readonly StructDoc[];
  /** Entries of lists about structures: `- struct x: …`. */
  readonly entries: readonly StructDoc[];
  /** Properties whose type a list names: `- start: u64`. */
  readonly types: readonly (Mention & { readonly type: string })[];
  /** Claims that something is one page. */
  readonly pages: readonly Mention[];
  /** Macros of which the file says that they change with everything in it. */
  readonly owners: readonly Mention[];
}

const mentions = (comment: Comment, pattern: RegExp, group = 1): Mention[] =>
  comment.text.split('\n').flatMap((line, index) =>
    [...line.matchAll(pattern)].map((match) => ({
      file: comment.file,
      line: comment.line + index,
      text: match[group] ?? match[0],
    })),
  );

const NODE = /^\s*([\w,.+<>/@-]+|\/)\s*\{$/;
const PROPERTY = /^\s*([\w,.+-]+)\s*=\s*(.+);$/;

/** The trees that a comment shows. */
const samplesIn = (comment: Comment): SampleNode[] => {
  const open: { node: SampleNode; children: SampleNode[] }[] = [];
  const found: SampleNode[] = [];
  comment.text.split('\n').forEach((text, index) => {
    const place = { file: comment.file, line: comment.line + index };
    const name = NODE.exec(text)?.[1];
    const [, property, value] = PROPERTY.exec(text) ?? [];
    const last = open.at(-1);
    if (name !== undefined && (last !== undefined || name === '/')) {
      const children: SampleNode[] = [];
      open.push({ node: { ...place, name, properties: [], children }, children });
    } else if (last !== undefined && property !== undefined) {
      (last.node.properties as SampleNode['properties'][number][]).push({
        ...place,
        name: property,
        value: value!,
      });
    } else if (last !== undefined && /^\s*\};?$/.test(text)) {
      open.pop();
      const outer = open.at(-1);
      if (outer === undefined) found.push(last.node);
      else outer.children.push(last.node);
    }
  });
  return found;
};

/** Paragraphs of `@name:` in a comment about a structure. */
const structIn = (comment: Comment): StructDoc | undefined => {
  const name = /^\s*((?:struct|union) \w+)\s*(?:-|$)/m.exec(comment.text)?.[1];
  if (name === undefined || !comment.isDoc || /^\s*DOC:/m.test(comment.text)) return undefined;
  const members: Record<string, string> = {};
  let current: string | undefined;
  for (const line of comment.text.split('\n')) {
    const [, member, rest] = /^\s*@([\w.]+):\s*(.*)$/.exec(line) ?? [];
    if (member !== undefined) {
      current = member;
      members[member] = rest!;
    } else if (line.trim() === '') {
      current = undefined;
    } else if (current !== undefined) {
      members[current] += ` ${line.trim()}`;
    }
  }
  return { file: comment.file, line: comment.line, name, members, text: comment.text };
};

/** List entries about structures. */
const entriesIn = (comment: Comment): StructDoc[] => {
  const lines = comment.text.split('\n');
  return lines.flatMap((line, index) => {
    const [, indent, name] = /^(\s*)- ((?:struct|union) \w+):?\s*$/.exec(line) ?? [];
    if (name === undefined) return [];
    const body: string[] = [];
    for (const next of lines.slice(index + 1)) {
      if (next.trim() === '' || next.search(/\S/) <= indent!.length) break;
      body.push(next.trim());
    }
    const place = { file: comment.file, line: comment.line + index };
    return [{ ...place, name, members: {}, text: body.join(' ') }];
  });
};

const OWNER = /\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:COMPATIBLE|COMPAT|VERSION))\b/g;

/** What the comments of a file say. */
export const docsOf = (file: string, comments: readonly Comment[]): FileDocs => {
  const all = <T>(find: (comment: Comment) => readonly T[]): T[] => comments.flatMap(find);
  const isDoc = (comment: Comment): boolean => /^\s*DOC:/m.test(comment.text);
  return {
    file,
    samples: all(samplesIn),
    strings: all((comment) => mentions(comment, /"([a-z][a-z0-9-]*-v\d+)"/g)),
    macros: all((comment) => mentions(comment, OWNER)),
    structs: all((comment) => [structIn(comment)].filter((doc) => doc !== undefined)),
    entries: all(entriesIn),
    types: all((comment) =>
      comment.text.split('\n').flatMap((line, index) => {
        const [, text, type] = /^\s*- ([\w,-]+): (u\d+)\s*$/.exec(line) ?? [];
        const place = { file, line: comment.line + index };
        return text === undefined ? [] : [{ ...place, text, type: type! }];
      }),
    ),
    pages: all((comment) => mentions(comment, /\b(?:exactly|always|is) a single page\b/g, 0)),
    owners: all((comment) => (isDoc(comment) ? mentions(comment, OWNER) : [])),
  };
};

/** A short digest of words: equal for equal words, whatever the spaces and marks between them. */
export const digest = (text: string): string => {
  const words = text.toLowerCase().match(/[a-z0-9_]+/g) ?? [];
  let hash = 0x811c9dc5;
  for (const char of words.join(' ')) {
    hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
};

const UNITS: readonly (readonly [string, RegExp])[] = [
  ['bytes', /\bbytes?\b/i],
  ['pages', /\bpages\b|\bpage count\b/i],
  ['frame number', /\bpage frame number\b|\bpfn\b/i],
  ['physical address', /\bphysical (?:address|pointer)\b/i],
  ['virtual address', /\bvirtual (?:address|pointer)\b/i],
  ['milliseconds', /\bmilliseconds?\b|\bms\b/i],
  ['seconds', /\bseconds?\b/i],
  ['nanoseconds', /\bnanoseconds?\b|\bns\b/i],
  ['big endian', /\bbig[- ]endian\b/i],
  ['little endian', /\blittle[- ]endian\b/i],
  ['signed', /\bsigned\b/i],
];

/** What a sentence about a member is about. */
export const meaningOf = (text: string): Meaning => {
  const structs = [...text.matchAll(/\b(?:struct|union) \w+/g)].map(([name]) => name);
  const units = UNITS.flatMap(([unit, pattern]) => (pattern.test(text) ? [unit] : []));
  return { digest: digest(text), about: [...new Set([...structs, ...units])].sort() };
};
