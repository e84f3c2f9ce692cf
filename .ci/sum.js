/** Prints the closing line of CI from vitest's JSON reports; fails unless tests ran and passed. */
import { existsSync, readFileSync } from 'node:fs';

const reports = process.argv
  .slice(2)
  .filter((path) => existsSync(path))
  .map((path) => JSON.parse(readFileSync(path, 'utf8')));

const sum = (count) => reports.reduce((total, report) => total + count(report), 0);

/** A test file that could not even be loaded counts no tests: it is one failure itself. */
const brokenFiles = ({ testResults }) =>
  testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length;

const passed = sum((report) => report.numPassedTests);
const failed = sum((report) => report.numFailedTests + brokenFiles(report));
const skipped = sum((report) => report.numPendingTests + report.numTodoTests);

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
