/** Simpler variants of a step, from what its kind declares of its fields. */
import type { Field } from './kinds/kind.ts';
import type { Place } from './place.ts';
import { kindOf } from './step.ts';
import type { Step } from './step.ts';

/** Simpler values for a number, simplest first; the distance to it is halved again and again. */
const simplerNumbers = (value: number, simplest: number): number[] => {
  if (value === simplest) return [];
  if (value < simplest) return [simplest];
  const simpler = [simplest, simplest + 1];
  for (let left = value - simplest; left > 1; left /= 2) {
    simpler.push(value - Math.max(1, Math.floor(left / 2)));
  }
  return [...new Set(simpler)].filter((v) => v < value);
};

const simplerPlaces = (place: Place): Place[] => [
  ...(place.at === 'slot' ? simplerNumbers(place.slot, 0).map((slot) => ({ ...place, slot })) : []),
  ...simplerNumbers(place.back, 0).map((back) => ({ ...place, back })),
  ...(place.at === 'slot' ? [] : [{ at: 'slot', slot: 0, back: 0 } as const]),
];

const simplerValues = (value: unknown, field: Field): unknown[] => {
  switch (field.is) {
    case 'object':
      return [];
    case 'place':
      return simplerPlaces(value as Place);
    case 'flag':
      return value === true ? [false] : [];
    case 'number':
      return simplerNumbers(value as number, field.simplest ?? field.min);
  }
};

/** Loads that ask for more than the plain one, which every machine and kernel has. */
const LOADS: ReadonlySet<Step['do']> = new Set(['load with', 'load image', 'load kernel']);

/** Variants of a step that are plainer, or have one field simpler, in a fixed order. */
export const simplerSteps = (step: Step): Step[] => [
  ...(LOADS.has(step.do) ? [{ id: step.id, do: 'load' } as const] : []),
  ...withSimplerFields(step),
];

const withSimplerFields = (step: Step): Step[] => {
  const fields = Object.entries<Field>(kindOf(step.do).fields);
  const values = step as unknown as Readonly<Record<string, unknown>>;
  return fields.flatMap(([name, field]) =>
    simplerValues(values[name], field).map((value) => ({ ...step, [name]: value })),
  );
};
