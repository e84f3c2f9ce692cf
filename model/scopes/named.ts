/** Every scope that `explore --scope` knows by name. A scope is built when it is asked for. */
import { REFERENCE_SCOPES } from '../reference/reference.ts';
import { LAW_SCOPES } from './law-scopes.ts';
import { lawScope } from './law-scope.ts';
import type { AnyScope } from './scope.ts';

const MAKERS: ReadonlyMap<string, () => AnyScope> = new Map<string, () => AnyScope>([
  ...REFERENCE_SCOPES.map((scope) => [scope.name, () => scope] as const),
  ...LAW_SCOPES.map((chosen) => [chosen.name, () => lawScope(chosen)] as const),
]);

/** The names of all scopes. */
export const SCOPE_NAMES: readonly string[] = [...MAKERS.keys()];

/** The scope of this name, or undefined. */
export const scopeByName = (name: string): AnyScope | undefined => MAKERS.get(name)?.();
