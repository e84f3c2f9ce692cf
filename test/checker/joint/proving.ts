/** Proving counterexamples of the corpus to be shortest, in tests. */
import { planOf } from '#model/generators';
import type { TraceFile } from '#model/trace-file';
import type { Trace } from '#model/step';
import { proveShortest } from '#src/checker/joint/proof';
import type { JointProof } from '#src/checker/joint/proof';
import type { JointOptions } from '#src/checker/joint/joint';
import { Tally } from '#src/checker/tally';
import { systemMaker } from '#src/cli/explore-joint';
import { faultsNamed, kernelNamed, runnerFor } from '#src/cli/systems';
import { readTraceFile } from '#src/cli/trace-files';

export const corpus = (name: string): TraceFile => readTraceFile(`test/corpus/${name}.json`);

/** Whether a trace breaks the rule that a file names, run on the kernel of the file. */
export const breaks = (file: TraceFile, trace: Trace): boolean => {
  const runner = runnerFor(kernelNamed(file.kernel), faultsNamed(file.faults));
  return runner.run(planOf(trace), new Tally()).violation?.rule.id === file.expect.rule;
};

/** What is known of traces that are shorter than that of a file. */
export const prove = (file: TraceFile, limits: JointOptions = {}): JointProof => {
  const kernel = kernelNamed(file.kernel);
  const make = systemMaker(kernel, faultsNamed(file.faults));
  const confirm = (trace: Trace): boolean => breaks(file, trace);
  return proveShortest(file, file.expect.rule ?? '', kernel, make, confirm, limits);
};
