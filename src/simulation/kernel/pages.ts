import type { SharedContents, Family } from './content.js';
import type { Ranges } from './ranges.js';

/** Whose pages they are: a guest. */
export interface PageHolder {
  readonly memory: Ranges<Pages>;
  /** Where it has the page that is at `place` of the family; undefined where it has none. */
  addressOf(family: GuestFamily, place: number): number | undefined;
}

export type Contents = SharedContents<PageHolder>;
export type GuestFamily = Family<PageHolder>;

/**
 * What is in pages: something that only this guest has (and may write again), empty pages, or a part of a family (address +
 * shift is its place in it). Of empty pages it matters whether they are in huge pages whose splitting frees them.
 */
export type PageContent =
  | { readonly kind: 'own'; readonly rewritten: boolean }
  | { readonly kind: 'zero'; readonly family: GuestFamily; readonly huge: boolean }
  | { readonly kind: 'family'; readonly family: GuestFamily; readonly shift: number };

/** Alike pages of a guest, as ksmd knows them. */
export interface Pages {
  readonly content: PageContent;
  /** Whether ksmd has a record (rmap_item) for each. */
  readonly known: boolean;
  /** The checksum in the record: there is none, it is that of the content, or the content is another since. */
  readonly checksum: 'none' | 'current' | 'stale';
  /**
   * In which tree they are; `zero`: mapped to the kernel's zero page (use_zero_pages); `freed`: the same where KSM counts it
   * nowhere and run=2 does not give it back, by the splitting of a huge page or by KSM before Linux 6.6.
   */
  readonly tree: 'none' | 'unstable' | 'stable' | 'zero' | 'freed';
  /** Of those in the unstable tree, the share that really is: the others were found changed. 1 unless the guest rewrites. */
  readonly quietShare: number;
  /** Smart scan: how often they were looked at, and how often they may still be left out. */
  readonly age: number;
  readonly remainingSkips: number;
  /** Passes since the checksum was taken. */
  readonly passesSince: number;
}

/** Pages that ksmd has not seen yet. */
export function unseen(content: PageContent): Pages {
  return {
    content,
    known: false,
    checksum: 'none',
    tree: 'none',
    quietShare: 1,
    age: 0,
    remainingSkips: 0,
    passesSince: 0,
  };
}

/** Every page that KSM has mapped elsewhere is the guest's own again, as far as it knows of it. */
export function unmerged({ tree, content }: Pages): Pages {
  return { ...unseen(content), tree: tree === 'freed' ? 'freed' : 'none' };
}

export function samePages(a: Pages, b: Pages): boolean {
  return (
    a.tree === b.tree &&
    a.known === b.known &&
    a.checksum === b.checksum &&
    a.quietShare === b.quietShare &&
    a.age === b.age &&
    a.remainingSkips === b.remainingSkips &&
    a.passesSince === b.passesSince &&
    sameKind(a.content, b.content)
  );
}

function sameKind(a: PageContent, b: PageContent): boolean {
  if (a.kind === 'own' && b.kind === 'own') return a.rewritten === b.rewritten;
  if (a.kind === 'zero' && b.kind === 'zero') return a.huge === b.huge;
  if (a.kind !== 'family' || b.kind !== 'family') return a.kind === b.kind;
  return a.family === b.family && a.shift === b.shift;
}

/** A record's age is a byte, and stays at its highest. */
const OLDEST = 255;

/** Smart scan's rule for a page that is not merged (mm/ksm.c, should_skip_rmap_item and skip_age). */
export function smartScan({ age, remainingSkips }: Pages): {
  readonly skip: boolean;
  readonly age: number;
  readonly remainingSkips: number;
} {
  const older = Math.min(age + 1, OLDEST);
  if (age < 3) return { skip: false, age: older, remainingSkips };
  if (remainingSkips === 0) return { skip: false, age: older, remainingSkips: skipsAt(age) };
  return { skip: true, age: older, remainingSkips: remainingSkips - 1 };
}

function skipsAt(age: number): number {
  if (age <= 3) return 1;
  if (age <= 5) return 2;
  return age <= 8 ? 4 : 8;
}
