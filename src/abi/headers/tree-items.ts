/** What samples in comments and the names of constants tell of a tree, where no code is at hand. */
import type { SampleNode } from './docs.ts';
import type { Macro } from './macros.ts';
import type { TreeItem } from './description.ts';

/** Nodes and properties that a comment shows; a name in angle brackets is the user's own. */
export const sampleItems = (samples: readonly SampleNode[], tree: string): readonly TreeItem[] => {
  const items: TreeItem[] = [];
  const rest = { written: true, read: 'unknown', form: undefined, from: 'comment' } as const;
  const visit = (node: SampleNode): void => {
    const { file, line, name } = node;
    const isNamed = name !== '/' && !/[<>]|^n\d+$/.test(name);
    if (isNamed) items.push({ ...rest, tree, kind: 'node', name, file, line });
    for (const property of node.properties) {
      if (property.name === 'compatible') continue;
      const { file: from, line: at } = property;
      items.push({ ...rest, tree, kind: 'property', name: property.name, file: from, line: at });
    }
    for (const child of node.children) visit(child);
  };
  for (const sample of samples) visit(sample);
  return items;
};

const KINDS: readonly (readonly [RegExp, TreeItem['kind'], 'root' | undefined])[] = [
  [/_ENTRY_NAME$|_KHO_FDT$|_TEST_FDT$|METADATA_NODE_NAME$/, 'node', 'root'],
  [/_NODE_NAME$/, 'node', undefined],
  [/_PROP_NAME$|^PROP_|_LIVEUPDATE_NUM$|_HEADER$/, 'property', undefined],
];

/** What a constant's name says: a node, a property, or a subtree of the root. */
export const namedItems = (macro: Macro, text: string, tree: string): readonly TreeItem[] => {
  const found = KINDS.find(([pattern]) => pattern.test(macro.name));
  if (found === undefined) return [];
  const [, kind, of] = found;
  const { file, line } = macro;
  const rest = { written: true, read: 'unknown', form: undefined, from: 'name' } as const;
  return [{ ...rest, tree: of ?? tree, kind, name: text, file, line }];
};
