/**
 * Where comments and code disagree, found from what both say.
 *
 * Rules DOC-01 to DOC-08; what each says stands in src/abi/diff/rules.ts.
 */
import { abiOn, type AbiDescription, type DocFinding } from './description.ts';
import type { FileDocs, SampleNode } from './docs.ts';
import { lineAt, type SourceText } from './lexer.ts';
import { FIRST_TARGET, TARGETS } from './targets.ts';

type Describe = (
  description: AbiDescription,
  docs: readonly FileDocs[],
  files: readonly SourceText[],
) => readonly DocFinding[];

/** One finding for a subject, at the first place; how often it occurs is in the message. */
const once = (all: readonly DocFinding[]): readonly DocFinding[] => {
  const bySubject = new Map<string, DocFinding[]>();
  for (const finding of all) {
    const key = `${finding.file} ${finding.subject}`;
    bySubject.set(key, [...(bySubject.get(key) ?? []), finding]);
  }
  return [...bySubject.values()].map(([first, ...more]) =>
    more.length === 0
      ? first!
      : { ...first!, message: `${first!.message} (${more.length + 1} places)` },
  );
};

/** The name of a versioned string without its version. */
const family = (text: string): string => text.replace(/-v\d+$/, '');

const versions: Describe = ({ constants }, docs) => {
  const current = new Map<string, string[]>();
  for (const { text } of constants) {
    for (const part of text?.split(';') ?? []) {
      if (/-v\d+$/.test(part)) {
        current.set(family(part), [...(current.get(family(part)) ?? []), part]);
      }
    }
  }
  return once(
    docs.flatMap(({ strings }) =>
      strings.flatMap(({ text, file, line }) => {
        const now = current.get(family(text));
        if (now === undefined || now.includes(text)) return [];
        const message = `says "${text}" where the code has "${now.join('", "')}"`;
        return [{ rule: 'DOC-01', subject: text, message, file, line }];
      }),
    ),
  );
};

/** How many things a list entry says that a structure contains. */
const countedIn = (text: string): number => {
  const sentence = /\bcontains\b([^.:]*)/i.exec(text)?.[1];
  if (sentence === undefined) return 0;
  return sentence.split(/,\s*(?:and\s+)?|\band\b/).filter((part) => part.trim() !== '').length;
};

const contents: Describe = (description, docs) =>
  docs.flatMap(({ entries }) =>
    entries.flatMap(({ name, text, file, line }) => {
      const layout = abiOn(description, FIRST_TARGET.name)?.layouts[name];
      const counted = countedIn(text);
      if (layout === undefined || counted <= layout.fields.length) return [];
      const has = `${layout.fields.length} member${layout.fields.length === 1 ? '' : 's'}`;
      const message = `says that ${name} contains ${counted} things; it has ${has}`;
      return [{ rule: 'DOC-02', subject: name, message, file, line }];
    }),
  );

const macros: Describe = ({ constants }, docs) => {
  const defined = new Set(constants.map(({ name }) => name));
  return once(
    docs.flatMap((doc) =>
      doc.macros.flatMap(({ text, file, line }) => {
        if (defined.has(text)) return [];
        const message = `wants ${text} to be changed, and there is no such macro`;
        return [{ rule: 'DOC-03', subject: text, message, file, line }];
      }),
    ),
  );
};

const pages: Describe = (description, docs) => {
  const claims = docs.flatMap((doc) => doc.pages.slice(0, 1));
  return claims.flatMap(({ file, line }) => {
    const here = description.structs.filter(
      (struct) => struct.file === file && !struct.sizeAsserted,
    );
    return here.flatMap(({ name }) => {
      const sizes = TARGETS.map((target) => ({
        target,
        isPage: abiOn(description, target.name)?.layouts[name]?.size === 2 ** target.pageShift,
        size: abiOn(description, target.name)?.layouts[name]?.size,
      }));
      if (!sizes.every(({ target, isPage }) => !target.supported || isPage)) return [];
      const other = sizes.find(({ isPage, size }) => !isPage && size !== undefined);
      if (other === undefined) return [];
      const where = `it has ${other.size} bytes on ${other.target.name}`;
      const message = `says that it is one page; ${name} is none everywhere: ${where}`;
      return [{ rule: 'DOC-04', subject: name, message, file, line }];
    });
  });
};

const owners: Describe = (description) => {
  const { structs } = description;
  const layouts = abiOn(description, FIRST_TARGET.name)?.layouts ?? {};
  const byName = new Map(structs.map((struct) => [struct.name, struct]));
  return structs.flatMap(({ name, ownedBy, means, file, line }) => {
    const led = Object.values(means).flatMap(({ about }) => about);
    const held = layouts[name]?.fields.map(({ type }) => type.replace(/\[.*$/, '')) ?? [];
    const others = [...new Set([...led, ...held])].flatMap((other) => {
      const inner = byName.get(other);
      if (inner === undefined || ownedBy.length === 0 || inner.ownedBy.length === 0) return [];
      return inner.ownedBy.some((owner) => ownedBy.includes(owner)) ? [] : [inner];
    });
    return others.map((inner) => {
      const says = `${inner.name} is versioned by ${inner.ownedBy.join(', ')}`;
      const message = `${name} is versioned by ${ownedBy.join(', ')}; within it, ${says}`;
      return { rule: 'DOC-05', subject: `${name} ${inner.name}`, message, file, line };
    });
  });
};

/** Bindings whose pattern has its anchors the wrong way round. */
const patterns: Describe = (_, __, files) =>
  files.flatMap(({ path, text }) => {
    if (!path.endsWith('.yaml')) return [];
    const found = /["']\$[^"'\n]*\^["']/.exec(text);
    if (found === null) return [];
    const message = 'a pattern begins with $ and ends with ^, and so matches no name';
    const place = { file: path, line: lineAt(text, found.index) };
    return [{ rule: 'DOC-06', subject: path.replace(/^.*\//, ''), message, ...place }];
  });

const allNodes = (nodes: readonly SampleNode[]): readonly SampleNode[] =>
  nodes.flatMap((node) => [node, ...allNodes(node.children)]);

const cells: Describe = (_, docs) =>
  docs.flatMap(({ samples, types }) =>
    once(
      allNodes(samples).flatMap(({ properties }) =>
        properties.flatMap(({ name, value, file, line }) => {
          const isWide = types.some(({ text, type }) => text === name && type === 'u64');
          if (!isWide || !/^<\s*\S+\s+\S+\s*>$/.test(value)) return [];
          const message = `${name} is shown as two big-endian cells; it is one native u64`;
          return [{ rule: 'DOC-07', subject: 'u64 as cells', message, file, line }];
        }),
      ),
    ),
  );

const members: Describe = (description, docs) =>
  docs.flatMap(({ structs }) =>
    structs.flatMap(({ name, members: said, file, line }) => {
      const layout = abiOn(description, FIRST_TARGET.name)?.layouts[name];
      if (layout === undefined) return [];
      const has = new Set(layout.fields.map((field) => field.name));
      return Object.keys(said).flatMap((member) => {
        if (has.has(member) || member.includes('.')) return [];
        const message = `tells of a member ${member} that ${name} does not have`;
        return [{ rule: 'DOC-08', subject: `${name}.${member}`, message, file, line }];
      });
    }),
  );

/** Every disagreement, rule by rule. */
export const docFindings: Describe = (description, docs, files) =>
  [versions, contents, macros, pages, owners, patterns, cells, members].flatMap((find) =>
    find(description, docs, files),
  );
