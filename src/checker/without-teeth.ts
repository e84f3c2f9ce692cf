/**
 * Rules that no fault is known to break first, each with the reason.
 *
 * A rule has teeth when some bug or synthetic fault breaks it before any other rule, in ordinary
 * traces of one kernel. A rule that `repeats` others says itself why it never does; the table has
 * the rest. Invariant, tested: every rule without teeth has a reason, and no other rule has one.
 */
import type { Rule } from '#spec/rules';

/** How lockstep asks: answers, then frames, then sights, then the handover; by chapter in each. */
const REASONS: Readonly<Record<string, string>> = {
  'MOV-02':
    'where something is put is answered, and the rules about that answer are asked before: ' +
    'MOV-01, MOV-04, ALC-04, TRK-02, VML-01, APR-03, RSV-05',
  'MOV-10':
    'it binds callers: preserving and unpinning are their calls, which no kernel makes for them; ' +
    'LUO-13 has the caller that is in the kernel',
  'PRS-05':
    'it binds callers: what they free they stopped preserving; what KHO gives back is an answer ' +
    'that VML-14, APR-06, RSV-10, LUO-14 and PRS-07 are asked about',
  'PRS-06':
    'PRS-01 refuses the call, and what could be preserved never gets into scratch: MOV-04, ' +
    'TRK-02, VML-01, APR-03 and RSV-05 are asked before',
  'DBG-05':
    'DBG-08 and DBG-13 compare the same files with the law, and TRE-07 and DBG-12 the trees; a ' +
    'copy has no law to compare with',
  'HND-01': 'DBG-04 reads the same tree in out/fdt, and TRE-07 what it names',
  'HND-02': 'HND-01 takes a string that nobody writes for damage',
  'HND-03': 'a tracker that is not found has no blocks: PRS-07 and PHS-09 miss them before',
  'HND-05': 'a key can only say aligned blocks; another block than was asked for breaks PRS-07',
  'HND-06': 'it binds callers; a block that nobody asked for breaks PRS-07 or PHS-09',
  'HND-07': 'PRS-01 is asked about the answer, PRS-07 about the block',
  'HND-08':
    'PRS-07 and PHS-09 count the page of the tree among what is preserved; in 6.19 and 7.0 a ' +
    'list without it passes for an old one, until the next kernel breaks ALC-06 or KEX-06',
  'HND-09': 'TRE-07 compares the sizes of all blobs with the law',
  'HND-10':
    'callers preserve what they name; of the blobs of the kernel itself the same is true as of ' +
    'its tree: PRS-07 and PHS-09, or ALC-06 and KEX-06 after the jump',
  'HND-11': 'TRE-01 is asked about the answer, TRE-07 counts the names',
  'HND-12': 'TRK-02 is asked about every page that KHO takes',
  'HND-13': 'TRK-03 and PRS-07 know which pages are the tracker’s',
  'HND-15': 'SCR-01 and SCR-08 are asked when a kernel has booted, DBG-07 from then on',
  'HND-16': 'the areas that a kernel answers come from the array: SCR-01 and SCR-04 are asked',
  'HND-17': 'SCR-02 is asked when a kernel has booted, DBG-07 from then on',
  'HND-18': 'SCR-03 is asked when a kernel has booted, DBG-07 from then on',
  'HND-19': 'TRE-08, RSV-07 and LUO-20 read the blobs that can be read',
};

/** Why nothing breaks a rule first; undefined where something is expected to. */
export const whyToothless = ({ id, repeats }: Rule): string | undefined => repeats ?? REASONS[id];

/** Ids of the rules in the table. */
export const TOOTHLESS: readonly string[] = Object.keys(REASONS);
