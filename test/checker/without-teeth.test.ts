/** Every rule has teeth, or a reason why nothing breaks it first; few enough have none. */
import { expect, test } from 'vitest';
import { RULES, ruleById } from '#spec/law';
import { TOOTHLESS, whyToothless } from '#src/checker/without-teeth';
import { FAULTS } from '#src/kho/faults';
import { BUGS } from '#src/kho/history/history';

/** Rules without teeth at most: more than that, and the law is hardly tried. */
const WITHOUT_MAX = 40;

const broken = new Set([...BUGS, ...FAULTS].map(({ rule }) => rule));
const without = RULES.filter(({ id }) => !broken.has(id));

test('every rule that nothing breaks has a reason', () => {
  expect(without.filter((rule) => whyToothless(rule) === undefined)).toEqual([]);
  expect(without.length).toBeLessThan(WITHOUT_MAX);
});

test('no other rule has one in the table, and none that repeats others', () => {
  const due = without.filter(({ repeats }) => repeats === undefined).map(({ id }) => id);
  expect([...TOOTHLESS].sort()).toEqual(due.sort());
});

test('a reason names rules that there are, and none of those without teeth', () => {
  for (const id of TOOTHLESS) {
    const named = whyToothless(ruleById(id)!)!.match(/[A-Z]{3}-\d\d/g) ?? [];
    for (const other of named) {
      expect(ruleById(other), `${id}: ${other}`).toBeDefined();
      expect(broken.has(other) || other === 'HND-01', `${id}: ${other}`).toBe(true);
    }
  }
});
