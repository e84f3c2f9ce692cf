/**
 * A machine of 16 TiB whose memory is huge pages, all of them preserved, handed over and restored.
 *
 * Runs in a process of its own (`runScale` starts it), so that the memory it needs at its peak is
 * its own. What counts is memory beyond that of the process before the first call, of the tracker's
 * pages, which are the ABI, and of the list of folios that the caller keeps.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Call } from '#model/call';
import { NEWEST_KERNEL } from '#model/kernels';
import { SUBTREE_NAMES, buildMachine } from '#model/machines';
import { generationById } from '#src/abi/description/generations';
import { decisionsWith } from '#src/kho/faults';
import { KhoMachine } from '#src/kho/kho-machine';
import { cpuSeconds, show } from './section.ts';
import type { Section } from './section.ts';

const FOLIOS = 8_388_608;
const ORDER = 9;
const NODES = 4;
const PAGE_BYTES = 4096;
const SCRATCH_FRAMES = 16 * 1024;

/** What the other process prints. */
interface Measured {
  readonly folios: number;
  readonly trackerPages: number;
  readonly allocate: number;
  readonly preserve: number;
  readonly handOver: number;
  readonly restore: number;
  readonly peakBytes: number;
  readonly emptyBoot: number;
}

const blank = { pfn: 0, count: 0, order: 0, node: 0, name: 0, value: 0, fails: 0 };

const newMachine = (): KhoMachine => {
  const { compatible, release, generation: id } = NEWEST_KERNEL;
  const build = {
    compatible,
    release,
    generation: generationById(id)!,
    decisions: decisionsWith([]),
  };
  const nodes = Array.from({ length: NODES }, () => (FOLIOS * 2 ** ORDER) / NODES);
  const scratch = { lowmem: SCRATCH_FRAMES, global: SCRATCH_FRAMES, perNode: SCRATCH_FRAMES };
  return new KhoMachine(buildMachine({ pageShift: 12, nodes, scratch }), build, SUBTREE_NAMES);
};

const ask = (machine: KhoMachine, call: Partial<Call> & Pick<Call, 'action'>): number =>
  machine.call({ ...blank, ...call }).value;

/** A handover of a machine that preserves nothing, in CPU seconds. */
const emptyBoot = (): number => {
  const machine = newMachine();
  ask(machine, { action: 'coldBoot' });
  ask(machine, { action: 'kexecFileLoad' });
  const start = cpuSeconds();
  if (ask(machine, { action: 'kexec' }) !== 1) throw new Error('nothing was handed over');
  return cpuSeconds() - start;
};

const measure = (): Measured => {
  const empty = emptyBoot();
  const machine = newMachine();
  ask(machine, { action: 'coldBoot' });
  const folios = new Uint32Array(FOLIOS);
  const before = process.memoryUsage().rss + folios.byteLength;
  let at = cpuSeconds();
  const lap = (): number => {
    const now = cpuSeconds();
    const took = now - at;
    at = now;
    return took;
  };

  let count = 0;
  const take = { ...blank, action: 'allocPages' as const, order: ORDER, node: -1 };
  while (count < FOLIOS) {
    const pfn = machine.call(take).value;
    if (pfn < 0) break;
    folios[count++] = pfn;
  }
  // The tracker itself needs pages: all but a few folios are preserved.
  for (let spare = 0; spare < 8; spare++) {
    ask(machine, { action: 'freePages', pfn: folios[--count]!, order: ORDER });
  }
  const allocate = lap();
  const step = { ...blank, action: 'preserveFolio' as Call['action'], order: ORDER };
  for (let i = 0; i < count; i++) {
    step.pfn = folios[i]!;
    if (machine.call(step).value !== 0) throw new Error('a folio was not preserved');
  }
  const preserve = lap();
  ask(machine, { action: 'kexecFileLoad' });
  if (ask(machine, { action: 'kexec' }) !== 1) throw new Error('nothing was handed over');
  const handOver = lap();
  step.action = 'restoreFolio';
  step.order = 0;
  for (let i = 0; i < count; i++) {
    step.pfn = folios[i]!;
    if (machine.call(step).value !== ORDER) throw new Error('a folio was not restored');
  }
  const restore = lap();
  const peak = process.resourceUsage().maxRSS * 1024;
  return {
    folios: count,
    trackerPages: trackerPages(count),
    allocate,
    preserve,
    handOver,
    restore,
    peakBytes: peak - before,
    emptyBoot: empty,
  };
};

/** Pages that the tracker of so many folios takes: leaves, and a path or two above them. */
const trackerPages = (folios: number): number => Math.ceil(folios / 2 ** 15) + 8;

/** Runs the measurement in a process of its own. */
export const scale = (): Section => {
  const { execPath, execArgv } = process;
  const file = fileURLToPath(import.meta.url);
  const run = spawnSync(execPath, [...execArgv, file, '--measure'], { encoding: 'utf8' });
  const title = 'A machine of 16 TiB';
  if (run.status !== 0) throw new Error(`${title}: ${run.stderr}`);
  const m = JSON.parse(run.stdout) as Measured;
  const seconds = m.preserve + m.handOver + m.restore;
  const own = m.peakBytes - m.trackerPages * PAGE_BYTES;
  return {
    title,
    figures: [
      {
        what: `preserve, hand over and walk, restore ${show(m.folios)} folios`,
        ours: `${seconds.toFixed(1)} s`,
        peer: '10 s',
        ratio: 10 / seconds,
        bar: '≥ 1',
      },
      {
        what: 'memory at the peak beyond tracker pages',
        ours: `${(own / m.folios).toFixed(1)} bytes a folio`,
        peer: '64 bytes',
        ratio: 64 / (own / m.folios),
        bar: '≥ 1',
      },
    ],
    notes: [
      `CPU time: preserve ${m.preserve.toFixed(1)} s, load, jump, boot and walk ` +
        `${m.handOver.toFixed(1)} s, restore ${m.restore.toFixed(1)} s; before that, taking the ` +
        `folios from the page allocator ${m.allocate.toFixed(1)} s.`,
      `Peak memory ${show(m.peakBytes / 2 ** 20)} MiB, of which tracker ` +
        `${show((m.trackerPages * PAGE_BYTES) / 2 ** 20)} MiB; every huge page outside scratch ` +
        'and the kernel is preserved.',
      `The same handover with nothing preserved: ${(m.emptyBoot * 1000).toFixed(1)} ms.`,
    ],
  };
};

if (process.argv.includes('--measure')) process.stdout.write(JSON.stringify(measure()));
