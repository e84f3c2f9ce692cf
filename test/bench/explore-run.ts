/** One exploration in a process of its own: prints the document of it, CPU time included. */
import { explore } from '#src/checker/explore/explore';
import { scopeByName } from '#model/scopes/named';

const [name = 'reference', symmetry = 'plain', rules = 'every', workers = '1'] =
  process.argv.slice(2);
const scope = scopeByName(name);
if (scope === undefined) throw new Error(`no scope ${name}`);
const { exploration } = await explore(scope, {
  symmetry: symmetry === 'symmetry',
  everyTransition: rules === 'every',
  workers: Number(workers),
});
process.stdout.write(`${JSON.stringify(exploration)}\n`);
