/**
 * The rules of a comparison: what can change between two kernels, in seven categories.
 *
 * WIRE: bytes. GRAMMAR: nodes and properties of trees. MEANING: same bytes, other sense. VERSION:
 * strings against changes. DOC: comments against code. PORT: what would differ on other machines.
 * SOURCE: names and places alone.
 */

export const CATEGORIES = [
  'WIRE',
  'GRAMMAR',
  'MEANING',
  'VERSION',
  'DOC',
  'PORT',
  'SOURCE',
] as const;

export type Category = (typeof CATEGORIES)[number];

/** One rule. */
export interface AbiRule {
  readonly id: string;
  readonly says: string;
}

const rule = (id: string, says: string): AbiRule => ({ id, says });

/** Every rule, by category. */
export const ABI_RULES: readonly AbiRule[] = [
  rule('WIRE-01', 'A member stays at its offset while its version stays.'),
  rule('WIRE-02', 'A member keeps its size while its version stays.'),
  rule('WIRE-03', 'A member is not removed while its version stays.'),
  rule('WIRE-04', 'A member is not added while its version stays.'),
  rule('WIRE-05', 'A structure keeps its size while its version stays.'),
  rule('WIRE-06', 'A member keeps its kind of number while its version stays.'),
  rule('WIRE-07', 'A structure is not removed while its version stays.'),
  rule('WIRE-08', 'A structure that is new needs no new version.'),
  rule('WIRE-09', 'A length or limit that both sides compute with stays while its version stays.'),
  rule('GRAMMAR-01', 'A reader does not demand what older writers of its version never wrote.'),
  rule('GRAMMAR-02', 'What a writer adds is passed over by older readers of its version.'),
  rule('GRAMMAR-03', 'A writer goes on to write what older readers of its version demand.'),
  rule('GRAMMAR-04', 'A property keeps its form while its version stays.'),
  rule('GRAMMAR-05', 'A subtree that is new is not seen by older kernels.'),
  rule('GRAMMAR-06', 'The name of a node or property stays while its version stays.'),
  rule('GRAMMAR-07', 'A reader does not begin to demand what it could do without.'),
  rule('MEANING-01', 'A member leads to the same structure while its version stays.'),
  rule('MEANING-02', 'A member counts in the same unit while its version stays.'),
  rule('MEANING-03', 'A flag or code keeps its value while its version stays.'),
  rule('MEANING-04', 'What is said of a member is worded anew.'),
  rule('VERSION-01', 'A change that breaks something comes with a new version.'),
  rule('VERSION-02', 'A version is new only where something changed.'),
  rule('VERSION-03', 'A version does not go back.'),
  rule('VERSION-04', 'A version may pass over numbers.'),
  rule('VERSION-05', 'The parts of a composite string stand in alphabetical order.'),
  rule('VERSION-06', 'A string keeps its name.'),
  rule('VERSION-07', 'A version that is new covers what changed.'),
  rule('VERSION-08', 'The length of a version string does not move the members behind it.'),
  rule('DOC-01', 'A comment names the version that the code has.'),
  rule('DOC-02', 'A comment lists as much as a structure holds.'),
  rule('DOC-03', 'A comment names macros that exist.'),
  rule('DOC-04', 'What a comment says to be one page is one on every machine.'),
  rule('DOC-05', 'All bytes of a structure have one version.'),
  rule('DOC-06', 'A binding matches the names that are written.'),
  rule('DOC-07', 'A sample tree shows values as they are written.'),
  rule('DOC-08', 'A comment tells of members that exist.'),
  rule('PORT-01', 'A layout does not begin to depend on the page size.'),
  rule('PORT-02', 'A layout does not begin to depend on the width of a word.'),
  rule('PORT-03', 'No bit fields are added: their order depends on the byte order.'),
  rule('PORT-04', 'No member is added where it is not aligned.'),
  rule('PORT-05', 'No hole is added.'),
  rule('SOURCE-01', 'A member has another name.'),
  rule('SOURCE-02', 'A structure has another name.'),
  rule('SOURCE-03', 'A definition stands in another file.'),
  rule('SOURCE-04', 'A constant has another name, is new or is gone.'),
  rule('SOURCE-05', 'A type is spelled in another way.'),
  rule('SOURCE-06', 'A part of the sources was on one side alone, and could not be compared.'),
];

/** The category of a rule. */
export const categoryOf = (id: string): Category => id.replace(/-\d+$/, '') as Category;
