/** The rooms of the house, who may import whom, and which packages each may use. */
import { posix } from 'node:path';

/** What may come through a wall: everything, or some modules alone. */
type Pass = 'all' | readonly string[];

/** A room: its files, and what it may import of ours and of others besides itself. */
export interface Room {
  readonly name: string;
  readonly files: RegExp;
  readonly imports: Readonly<Record<string, Pass>> | 'all' | 'types';
  readonly packages: readonly RegExp[];
}

const FAST_CHECK = /^fast-check$/;
const PICOCOLORS = /^picocolors$/;
const NODE = /^node:/;
const ANY = /./;

const LEAVES = { 'fdt-ts': 'all', 'abi/description': 'all' } as const;
const ABI = { ...LEAVES, 'abi/decode': 'all', 'abi/verdict': 'all', abi: 'all' } as const;
const LAW = { spec: 'all', model: 'all' } as const;

const room = (
  name: string,
  files: RegExp,
  imports: Room['imports'],
  packages: readonly RegExp[] = [],
): Room => ({ name, files, imports, packages });

/** First match wins. */
export const ROOMS: readonly Room[] = [
  room('spec', /^spec\//, {}),
  room('model', /^model\//, { spec: 'all' }, [FAST_CHECK]),
  room('properties', /^properties\//, LAW, [FAST_CHECK]),
  room('fdt-ts', /^src\/fdt-ts\//, {}),
  room('abi/description', /^src\/abi\/description[/.]/, {}),
  room('abi/decode', /^src\/abi\/decode[/.]/, LEAVES, [/^fzstd$/]),
  room('abi/verdict', /^src\/abi\/(?:diff|verdict)[/.]/, { ...ABI, checker: 'all' }, [/^fzstd$/]),
  room('abi', /^src\/abi\//, ABI, [/^fzstd$/]),
  room('kho', /^src\/kho\//, { ...LEAVES, model: ['model/system', 'model/call'] }),
  room('checker', /^src\/checker\//, { ...LAW, properties: 'all', 'abi/decode': 'all' }, [
    FAST_CHECK,
    NODE,
  ]),
  room('report', /^src\/report\//, 'types', [PICOCOLORS]),
  room('cli', /^src\/cli\//, 'all', [/^commander$/, PICOCOLORS, /^valibot$/, NODE]),
  room('test', /^test\//, 'all', [ANY]),
  room('house', /^\./, 'all', [ANY]),
];

/** The room a path belongs to, if any. */
export const roomOf = (path: string): Room | undefined =>
  ROOMS.find(({ files }) => files.test(path));

/** Where a specifier leads: to one of our modules (path without extension), or to a package. */
export const resolve = (from: string, specifier: string): { ours: string } | { other: string } => {
  if (specifier === 'fdt-ts' || specifier.startsWith('fdt-ts/')) {
    return { ours: 'src/fdt-ts/index' };
  }
  const path = /^\.\.?(?:\/|$)/.test(specifier)
    ? posix.join(posix.dirname(from), specifier)
    : /^#(?:spec|model|properties|src)\//.test(specifier)
      ? posix.normalize(specifier.slice(1))
      : undefined;
  return path === undefined ? { other: specifier } : { ours: path.replace(/\.[cm]?[jt]s$/, '') };
};

/** Why `room` may not import our module `path`, or undefined when it may. */
export const crossing = (room: Room, path: string, typeOnly: boolean): string | undefined => {
  const target = roomOf(`${path}.ts`);
  if (target === undefined) return `imports ${path}, which is in no room`;
  if (target.name === room.name || room.imports === 'all') return undefined;
  if (room.imports === 'types') {
    return typeOnly ? undefined : `${room.name} may import types alone (${path})`;
  }
  const pass = room.imports[target.name];
  if (pass === undefined) return `${room.name} must not import ${target.name} (${path})`;
  if (pass === 'all' || pass.includes(path)) return undefined;
  return `${room.name} may import of ${target.name} only ${pass.join(', ')}, not ${path}`;
};
