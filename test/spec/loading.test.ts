/** What loading, jumping and crashing leave behind in the law. */
import { describe, expect, it } from 'vitest';
import { FIRST_BLOB_DAMAGE, FIRST_METADATA_DAMAGE } from '#spec/call';
import { METADATA_NAME, SHORT_METADATA_BYTES, nameBlob } from '#spec/handover-tree';
import { ACTION } from '#spec/law';
import { UNLOAD_CRASH, UNLOAD_NEXT } from '#spec/loading';
import {
  EARLY,
  FREE,
  KHO_KDUMP,
  KHO_OFF,
  KHO_ON,
  LEFT,
  NO_IMAGE,
  UNMOVABLE,
  WITHOUT_HANDOVER,
  WITH_HANDOVER,
} from '#spec/state';
import type { State } from '#spec/state';
import { AREAS, call, fresh, says } from './witnesses.ts';
import type { Call } from '#spec/call';

const AT = 0x1000;
const CRASH = 0x1800;

type Fields = Partial<Omit<Call, 'action'>>;

const does = (s: State, action: Call['action'], fields: Fields = {}, answer = says(0)): void =>
  ACTION[action].effect(s, call(action, fields), answer);

const ranks = (s: State): number[] => [2, 3, 4].map((name) => s.outRank.get(name));

describe('names of one blob', () => {
  const named = (): State => {
    const s = fresh();
    for (const name of [3, 4, 2]) nameBlob(s, name, AT, 10 + name);
    return s;
  };

  it('go away newest first, and the others move up', () => {
    const s = named();
    expect(ranks(s)).toEqual([3, 1, 2]);
    does(s, 'removeSubtree', { pfn: AT });
    expect(ranks(s)).toEqual([0, 1, 2]);
    nameBlob(s, 2, AT + 1, 5);
    does(s, 'removeSubtree', { pfn: AT });
    expect(ranks(s)).toEqual([2, 1, 0]);
    expect([s.outFrame.get(4), s.outBytes.get(4)]).toEqual([0, 0]);
    expect([s.outFrame.get(3), s.outBytes.get(3)]).toEqual([AT + 1, 13]);
  });

  it('stay when another blob is removed', () => {
    const s = named();
    does(s, 'removeSubtree', { pfn: AT + 1 });
    expect(ranks(s)).toEqual([3, 1, 2]);
  });
});

describe('what is loaded', () => {
  const image = (s: State) => [s.loaded.get(), s.nextKernel.get(), s.line.get()];

  it('is the image that was loaded last', () => {
    const s = fresh();
    does(s, 'kexecFileLoad', { value: KHO_OFF, name: 2 });
    expect(image(s)).toEqual([WITH_HANDOVER, KHO_OFF, 2]);
    does(s, 'kexecLoad', { pfn: AT, count: 8 });
    expect(image(s)).toEqual([WITHOUT_HANDOVER, KHO_ON, 0]);
  });

  it('stays when a load fails', () => {
    const s = fresh();
    does(s, 'kexecFileLoad', { name: 1 });
    does(s, 'kexecFileLoad', { count: 9999, value: KHO_OFF }, says(-99));
    expect(image(s)).toEqual([WITH_HANDOVER, KHO_ON, 1]);
  });

  it('carries no handover when KHO is off', () => {
    const s = fresh();
    s.kho.set(KHO_OFF);
    does(s, 'kexecFileLoad');
    expect(image(s)).toEqual([WITHOUT_HANDOVER, KHO_ON, 0]);
  });

  it('is unloaded alone', () => {
    const s = fresh();
    does(s, 'kexecFileLoad', { name: 1 });
    does(s, 'kexecCrashLoad');
    does(s, 'kexecUnload', { value: UNLOAD_CRASH });
    expect([...image(s), s.crashLoaded.get()]).toEqual([WITH_HANDOVER, KHO_ON, 1, 0]);
    does(s, 'kexecCrashLoad');
    does(s, 'kexecUnload', { value: UNLOAD_NEXT });
    expect([...image(s), s.crashLoaded.get()]).toEqual([NO_IMAGE, KHO_ON, 0, 1]);
  });

  it('is no crash image after one failed to load', () => {
    const s = fresh();
    does(s, 'kexecCrashLoad');
    does(s, 'kexecCrashLoad', { count: 99 }, says(-99));
    expect(s.crashLoaded.get()).toBe(0);
  });
});

describe('a jump with one damaged blob', () => {
  const after = (value: number, name: number): State => {
    const s = fresh();
    s.loaded.set(WITH_HANDOVER);
    s.counted.set(4);
    nameBlob(s, METADATA_NAME, AT - 1, 73);
    nameBlob(s, 2, AT, 64);
    nameBlob(s, 3, AT + 1, 64);
    does(s, 'kexec', { value, name }, says(1, { areas: AREAS, fdt: 0x20, metadata: 0x21 }));
    return s;
  };
  const faults = (s: State): number[] => [0, 2, 3].map((name) => s.inFault.get(name));

  it('makes that blob unusable, and counts on', () => {
    const s = after(FIRST_BLOB_DAMAGE, 2);
    expect([faults(s), s.counted.get()]).toEqual([[0, 1, 0], 5]);
  });

  it('counts anew when it is the metadata', () => {
    expect(after(FIRST_BLOB_DAMAGE, METADATA_NAME).counted.get()).toBe(0);
    expect(after(FIRST_METADATA_DAMAGE + 1, METADATA_NAME).counted.get()).toBe(0);
    const short = after(FIRST_METADATA_DAMAGE, METADATA_NAME);
    expect([faults(short), short.counted.get()]).toEqual([[0, 0, 0], 0]);
    expect(short.inBytes.get(METADATA_NAME)).toBe(SHORT_METADATA_BYTES);
  });

  it('does nothing to a name that there is not', () => {
    const s = after(FIRST_BLOB_DAMAGE, 5);
    expect([faults(s), s.counted.get()]).toEqual([[0, 0, 0], 5]);
  });
});

describe('a crash', () => {
  const crashed = (): State => {
    const s = fresh();
    s.crashFirst.set(CRASH);
    s.crashCount.set(24);
    s.crashLoaded.set(1);
    s.revived.set(1);
    s.kexecs.set(3);
    for (const pfn of [AT, CRASH, CRASH + 23]) s.use.set(pfn, UNMOVABLE);
    s.kept.set(AT, 1);
    s.content.set(AT, 7);
    nameBlob(s, 2, AT, 9);
    s.inFrame.set(2, AT + 1);
    return s;
  };

  it('leaves what was there, and knows of nothing', () => {
    const s = crashed();
    does(s, 'crash', {}, says(2, { early: [[CRASH, 8]] }));
    expect([s.use.get(AT), s.content.get(AT), s.kept.get(AT)]).toEqual([LEFT, 7, 0]);
    expect([CRASH, CRASH + 7, CRASH + 8, CRASH + 23].map((pfn) => s.use.get(pfn))).toEqual([
      EARLY,
      EARLY,
      FREE,
      FREE,
    ]);
    expect([s.kho.get(), s.revived.get(), s.kexecs.get()]).toEqual([KHO_KDUMP, 0, 0]);
    expect([s.outFrame.get(2), s.inFrame.get(2), s.areaCount.get(0)]).toEqual([0, 0, 0]);
    expect(s.crashLoaded.get()).toBe(0);
  });

  it('that nobody was prepared for changes nothing', () => {
    const s = crashed();
    does(s, 'crash', {}, says(-22));
    expect([s.use.get(AT), s.kept.get(AT), s.crashLoaded.get()]).toEqual([UNMOVABLE, 1, 1]);
  });
});
