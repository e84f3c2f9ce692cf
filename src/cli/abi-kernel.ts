/** Which release has an ABI, found out by comparing everything that decides about bytes. */
import { COMPARED } from '../abi/diff/wire.ts';
import { abiOn, type AbiDescription } from '../abi/headers/description.ts';
import { BASELINES, baselineOf } from './abi-sources.ts';

const remembered = new WeakMap<AbiDescription, readonly string[]>();

/** All that decides about bytes, one fact a line. */
const factsOf = (abi: AbiDescription): readonly string[] => {
  const facts = remembered.get(abi) ?? collectFacts(abi);
  remembered.set(abi, facts);
  return facts;
};

const collectFacts = (abi: AbiDescription): readonly string[] => [
  ...COMPARED.flatMap((target) =>
    Object.entries(abiOn(abi, target)?.layouts ?? {}).map(
      ([name, layout]) => `${target} ${name} ${JSON.stringify(layout)}`,
    ),
  ),
  ...abi.constants.flatMap(({ name, text }) => (text === undefined ? [] : [`${name} ${text}`])),
  ...abi.tree.flatMap(({ tree, kind, name, from }) =>
    from === 'code' ? [`${tree} ${kind} ${name}`] : [],
  ),
];

/** Whether an ABI is that of a baseline, as far as its sources were there. */
const isThat = (abi: AbiDescription, base: AbiDescription): boolean => {
  const [here, there] = [factsOf(abi), factsOf(base)];
  const known = new Set(there);
  if (!here.every((fact) => known.has(fact))) return false;
  return abi.missing.length > 0 || here.length === there.length;
};

/** The modelled kernel whose ABI this is, or undefined where it is none of them. */
export const kernelOf = (abi: AbiDescription): string | undefined => {
  const series = /^\d+\.\d+/.exec(abi.kernel ?? '')?.[0];
  const first = BASELINES.filter((each) => each === series);
  if (!abi.constants.some(({ name }) => name === 'KHO_FDT_COMPATIBLE')) return undefined;
  return [...first, ...BASELINES].find((each) => isThat(abi, baselineOf(each)!));
};
