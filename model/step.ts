/**
 * Steps: what is generated, shrunk and saved.
 *
 * A step names an object by the step that made it (`of`) and a place by a word, never by a frame
 * number. So any step can be dropped and the rest still runs: a step whose object is gone, or whose
 * place does not exist on the machine, is skipped.
 *
 * This is the register of the kinds of step; each kind is described in `kinds/`.
 */
import * as allocPreserve from './kinds/alloc-preserve.ts';
import * as kexec from './kinds/kexec.ts';
import type { Kind, StepBase } from './kinds/kind.ts';
import * as liveUpdate from './kinds/live-update.ts';
import * as loading from './kinds/loading.ts';
import * as memory from './kinds/memory.ts';
import * as movability from './kinds/movability.ts';
import * as phases from './kinds/phases.ts';
import * as pressure from './kinds/pressure.ts';
import * as preservation from './kinds/preservation.ts';
import * as returning from './kinds/returning.ts';
import * as reserveMem from './kinds/reserve-mem.ts';
import * as restoring from './kinds/restoring.ts';
import * as scratch from './kinds/scratch.ts';
import * as subtrees from './kinds/subtrees.ts';
import * as vast from './kinds/vast.ts';
import * as vmalloc from './kinds/vmalloc.ts';
import type { MachineShape } from './machines.ts';

export type Step =
  | memory.Alloc
  | memory.Claim
  | memory.Free
  | memory.Write
  | preservation.Preserve
  | preservation.Unpreserve
  | preservation.PreserveScratch
  | restoring.Restore
  | restoring.RestorePart
  | returning.Return
  | subtrees.AddSubtree
  | subtrees.CrowdTree
  | subtrees.CrowdAlike
  | subtrees.RemoveSubtree
  | subtrees.RetrieveSubtree
  | reserveMem.LoadWith
  | reserveMem.FindRegion
  | reserveMem.ReleaseRegion
  | reserveMem.WriteRegion
  | vmalloc.Vmalloc
  | vmalloc.PreserveNoArea
  | vmalloc.RestoreTwisted
  | allocPreserve.AllocPreserve
  | allocPreserve.UnpreserveFree
  | allocPreserve.RestoreFree
  | pressure.PreserveShort
  | pressure.PreserveNothing
  | pressure.ClaimLarge
  | pressure.Hog
  | pressure.Relief
  | pressure.CleanUp
  | vast.PreserveVast
  | vast.PreserveScattered
  | movability.Pin
  | movability.Unpin
  | movability.Migrate
  | kexec.Load
  | kexec.Kexec
  | kexec.ColdBoot
  | loading.LoadImage
  | loading.LoadAnywhere
  | loading.Unload
  | loading.LoadCrash
  | loading.Crash
  | loading.AskStatus
  | loading.BootWithout
  | scratch.BootWith
  | loading.KexecBlob
  | phases.Finalize
  | phases.FinalizeShort
  | phases.Abort
  | phases.LoadKernel
  | phases.BootKernel
  | liveUpdate.StartLiveUpdate
  | liveUpdate.TakeLiveUpdateName
  | liveUpdate.CreateSession
  | liveUpdate.CreateSameSession
  | liveUpdate.CreateNamelessSession
  | liveUpdate.PreserveMemfd
  | liveUpdate.PreserveSameToken
  | liveUpdate.KeepMemfd
  | liveUpdate.WriteMemfd
  | liveUpdate.CloseSession
  | liveUpdate.RetrieveSession
  | liveUpdate.RetrieveMemfd
  | liveUpdate.FinishSession
  | liveUpdate.CloseMemfd;

export type StepName = Step['do'];

type Kinds = { readonly [Name in StepName]: Kind<Extract<Step, { readonly do: Name }>> };

/** Every kind of step by its name. */
export const KINDS: Kinds = {
  alloc: memory.alloc,
  claim: memory.claim,
  free: memory.free,
  write: memory.write,
  preserve: preservation.preserve,
  unpreserve: preservation.unpreserve,
  'preserve scratch': preservation.preserveScratch,
  restore: restoring.restore,
  'restore part': restoring.restorePart,
  return: returning.returnObject,
  'add subtree': subtrees.addSubtree,
  'crowd tree': subtrees.crowdTree,
  'crowd alike': subtrees.crowdAlike,
  'remove subtree': subtrees.removeSubtree,
  'retrieve subtree': subtrees.retrieveSubtree,
  'load with': reserveMem.loadWith,
  'find region': reserveMem.findRegion,
  'release region': reserveMem.releaseRegion,
  'write region': reserveMem.writeRegion,
  vmalloc: vmalloc.vmalloc,
  'preserve no area': vmalloc.preserveNoArea,
  'restore twisted': vmalloc.restoreTwisted,
  'alloc preserve': allocPreserve.allocPreserve,
  'unpreserve free': allocPreserve.unpreserveFree,
  'restore free': allocPreserve.restoreFree,
  'preserve short': pressure.preserveShort,
  'preserve nothing': pressure.preserveNothing,
  'claim large': pressure.claimLarge,
  hog: pressure.hog,
  relief: pressure.relief,
  'clean up': pressure.cleanUp,
  'preserve vast': vast.preserveVast,
  'preserve scattered': vast.preserveScattered,
  pin: movability.pin,
  unpin: movability.unpin,
  migrate: movability.migrate,
  load: kexec.load,
  kexec: kexec.kexec,
  'cold boot': kexec.coldBoot,
  'load image': loading.loadImage,
  'load anywhere': loading.loadAnywhere,
  unload: loading.unload,
  'load crash': loading.loadCrash,
  crash: loading.crash,
  'ask status': loading.askStatus,
  'boot without KHO': loading.bootWithout,
  'boot with': scratch.bootWith,
  'kexec damaged blob': loading.kexecBlob,
  finalize: phases.finalize,
  'finalize short': phases.finalizeShort,
  abort: phases.abort,
  'load kernel': phases.loadKernel,
  'boot kernel': phases.bootKernel,
  'start live update': liveUpdate.startLiveUpdate,
  'take live update name': liveUpdate.takeLiveUpdateName,
  'create session': liveUpdate.createSession,
  'create same session': liveUpdate.createSameSession,
  'create nameless session': liveUpdate.createNamelessSession,
  'preserve memfd': liveUpdate.preserveMemfd,
  'preserve same token': liveUpdate.preserveSameToken,
  'keep memfd': liveUpdate.keepMemfd,
  'write memfd': liveUpdate.writeMemfd,
  'close session': liveUpdate.closeSession,
  'retrieve session': liveUpdate.retrieveSession,
  'retrieve memfd': liveUpdate.retrieveMemfd,
  'finish session': liveUpdate.finishSession,
  'close memfd': liveUpdate.closeMemfd,
};

export const STEP_NAMES = Object.keys(KINDS) as readonly StepName[];

/** The kind of a step, for code that treats all kinds alike. */
export const kindOf = (name: StepName): Kind<StepBase> => KINDS[name] as unknown as Kind<StepBase>;

/** A trace: a machine and the steps that are tried on it. The machine is switched on first. */
export interface Trace {
  readonly machine: MachineShape;
  readonly steps: readonly Step[];
}
