/**
 * Findings: where a kernel believes damaged bytes, and why the real one does so as well.
 *
 * A silent corruption that no finding explains is a fault of the implementation. What a kernel
 * refuses, ignores or ends over needs no finding. In two things the implementation is stricter than
 * a real kernel: an address that leads to memory which nobody wrote ends it, where a real one reads
 * what lies there; and a region is revived only where the tracker holds it; a real one goes by the
 * list alone (mm/memblock.c, reserve_mem_kho_revive).
 */
import type { Source } from '#spec/algebra/rule';
import { appliesTo } from '#spec/generations';
import type { Generation } from '#spec/generations';
import { core, kernel } from '#spec/rules';
import type { Damaged, Effect } from './damage.ts';

export interface DamageFinding {
  readonly id: string;
  /** One sentence. */
  readonly says: string;
  /** What the kernel does look at, and what it does not. */
  readonly why: string;
  readonly sources: readonly Source[];
  /** Parts of a handover that it is about; all blobs when absent. */
  readonly part?: string;
  /** Fields of them; all when absent. */
  readonly fields?: readonly string[];
  /** Kernels up to this one; all when absent. */
  readonly until?: Generation;
  readonly effects: readonly Effect[];
}

/**
 * What follows when the tracker is believed: pages are lost, and what was in them, the tree and its
 * blobs among them.
 */
const OF_TRACKER: readonly Effect[] = [
  'loses',
  'overwrites',
  'reorders',
  'invents',
  'blob',
  'region',
  'count',
];

export const DAMAGE_FINDINGS: readonly DamageFinding[] = [
  {
    id: 'DMG-01',
    says: 'The address of a blob is believed.',
    why: 'Only the length of the property is looked at; the memory it leads to has no mark.',
    sources: [core('kho_retrieve_subtree')],
    part: 'root',
    fields: ['preserved-data', 'fdt'],
    effects: ['blob', 'region', 'count'],
  },
  {
    id: 'DMG-02',
    says: 'The size of a blob is believed.',
    why: 'Only the length of the property is looked at; what is there may be shorter.',
    sources: [core('kho_retrieve_subtree')],
    part: 'root',
    fields: ['blob-size'],
    effects: ['blob'],
  },
  {
    id: 'DMG-03',
    says: 'The address of the tracker is believed.',
    why: 'Eight bytes that are not all zero are followed, wherever they lead.',
    sources: [core('kho_populate'), core('kho_mem_retrieve')],
    part: 'root',
    fields: ['preserved-memory-map'],
    effects: OF_TRACKER,
  },
  {
    id: 'DMG-04',
    says: 'What the tracker says is believed.',
    why: 'Its pages carry no checksum; no address, order or number in them is compared with any.',
    sources: [
      core('kho_radix_walk_tree'),
      kernel('kernel/kexec_handover.c', 'kho_mem_deserialize'),
      core('kho_preserved_memory_reserve'),
    ],
    part: 'tracker',
    effects: OF_TRACKER,
  },
  {
    id: 'DMG-05',
    says: 'The scratch array is believed.',
    why: 'Each entry becomes memory that early boot may write to, whatever lies there.',
    sources: [core('kho_populate')],
    part: 'scratch array',
    effects: ['scratch', ...OF_TRACKER],
  },
  {
    id: 'DMG-06',
    says: 'The number of kexecs is believed.',
    why: 'Version and size of the blob are compared; its number is only counted on.',
    sources: [kernel('include/linux/kho/abi/kexec_handover.h', 'struct kho_kexec_metadata')],
    part: 'kexec-metadata',
    fields: ['kexec_count'],
    effects: ['count'],
  },
  {
    id: 'DMG-07',
    says: 'Up to 6.18 a tree without a map is one that preserves nothing.',
    why: 'It is taken over before anybody looks for the map; then nothing is kept from use.',
    sources: [
      kernel('kernel/kexec_handover.c', 'kho_populate'),
      kernel('kernel/kexec_handover.c', 'kho_mem_deserialize'),
    ],
    part: 'root',
    fields: ['structure', 'names of properties', 'preserved-memory-map', 'cut short, zeros'],
    until: '6.18',
    effects: OF_TRACKER,
  },
  {
    id: 'DMG-08',
    says: 'A tree that is well formed after the damage is read as what it says now.',
    why: 'The header is checked for form alone; nothing sums up the bytes of a tree.',
    sources: [
      kernel('scripts/dtc/libfdt/fdt.c', 'fdt_check_header'),
      kernel('scripts/dtc/libfdt/fdt_ro.c', 'fdt_getprop_namelen'),
    ],
    fields: [
      'header',
      'structure',
      'reserve map',
      'names of nodes',
      'names of properties',
      'start',
      'size',
      'cut short, zeros',
    ],
    effects: OF_TRACKER,
  },
  {
    id: 'DMG-09',
    says: 'The root’s string alone says how the rest is to be read.',
    why: 'Where it is what a kernel wants, that kernel reads all there is in its own format.',
    sources: [core('kho_populate'), core('KHO_FDT_COMPATIBLE')],
    part: 'another generation',
    effects: OF_TRACKER,
  },
];

/**
 * The finding that explains a silent corruption, or undefined.
 *
 * @param name of the field
 * @param reader the kernel that did not notice
 */
export const findingOf = (
  part: string,
  name: string,
  { effects }: Damaged,
  reader: Generation,
): DamageFinding | undefined =>
  DAMAGE_FINDINGS.find(
    (finding) =>
      appliesTo(reader, undefined, finding.until) &&
      (finding.part === undefined || finding.part === part) &&
      (finding.fields === undefined || finding.fields.includes(name)) &&
      effects.every((effect) => finding.effects.includes(effect)),
  );
