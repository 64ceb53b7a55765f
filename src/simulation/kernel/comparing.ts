import type { SharedContent } from './content.js';
import { type KsmdCosts, searchNanos, sizeStep } from './costs.js';
import type { VirtualGuest } from './guest.js';
import type { GuestFamily, PageHolder, Pages } from './pages.js';

/** What becomes of pages that ksmd compares: cmp_and_merge_page() of mm/ksm.c for a page that is not merged yet. */
export type Verdict =
  /** The checksum is not that of last time, or there was none: it is noted. */
  | { readonly kind: 'noted' }
  /** No partner yet: `quietShare` of the pages go into the unstable tree, the others were found changed. */
  | { readonly kind: 'waits'; readonly quietShare: number }
  /** A shared page takes one more user. */
  | { readonly kind: 'joins' }
  /** The same page of `partner` waits in the unstable tree: both become one shared page. */
  | { readonly kind: 'pairs'; readonly partner: PageHolder }
  /** Empty, and mapped to the kernel's zero page. */
  | { readonly kind: 'zeroed' }
  /** Empty and in a huge page, which is split for it: that frees all its empty pages. */
  | { readonly kind: 'frees' }
  /** The search in the unstable tree ends at a node that has lost its page, so that it does not enter. */
  | { readonly kind: 'lost' };

/**
 * Which pages find their way into the unstable tree: all, all but the empty ones, or none.
 *
 * An empty page of a huge page that was split for the next one leaves a node without a page in the tree, at which
 * unstable_tree_search_insert() of mm/ksm.c gives up. Empty pages compare lowest, so that all others of them end there, and of
 * the rest those that are lower than everything else in the tree: one of n + 1 pages where there are n other nodes, which
 * is neglected here, and every page where there is no other. On random hosts of some hundreds of pages the pages
 * saved are at most 0.2 % off, and those in the unstable tree 3 % (test/properties/simulationZeros.test.ts).
 */
export type Entry = 'open' | 'zero-lost' | 'closed';

/** What decides about a page beside itself. */
export interface ScanRules {
  readonly smartScan: boolean;
  readonly useZeroPages: boolean;
  readonly maxPageSharing: number;
  readonly checksumFirst: boolean;
  /** Whether the kernel counts the pages that KSM maps to the zero page, and gives them back. */
  readonly zeroPagesCounted: boolean;
}

export interface Circumstances {
  readonly rules: ScanRules;
  readonly pages: Pages;
  /** The share of them that was written to since their checksum was taken. */
  readonly rewrittenShare: number;
  /** What is known of their content; undefined for a guest's own. */
  readonly shared: SharedContent<PageHolder> | undefined;
  readonly pass: number;
  /** How far the unstable tree of this pass can be entered. */
  readonly entry: Entry;
}

export function verdictOn(at: Circumstances): Verdict {
  const { pages, shared, rules } = at;
  const { content } = pages;
  const zero = content.kind === 'zero';
  const isShared = shared !== undefined && shared.copies > 0 && shared.mapped > 0;
  const pairsWithZero = zero && shared !== undefined && shared.holders > 1 && at.entry === 'open';
  const joins = shared !== undefined && (zero ? isShared || pairsWithZero : hasRoom(shared, rules.maxPageSharing));
  // A page that only now becomes a shared one must have been in the unstable tree.
  const early = !rules.checksumFirst && joins && shared.copies > 0;
  const changedShare = pages.checksum === 'current' ? at.rewrittenShare : 1;
  if (changedShare === 1) return early ? { kind: 'joins' } : { kind: 'noted' };
  if (zero && content.huge && (rules.useZeroPages || isShared || at.entry === 'open')) return { kind: 'frees' };
  if (zero && rules.useZeroPages) return { kind: 'zeroed' };
  if (joins) return { kind: 'joins' };
  if (shared?.waiting !== undefined && shared.waitingPass === at.pass)
    return { kind: 'pairs', partner: shared.waiting };
  if (at.entry === 'closed' || (at.entry === 'zero-lost' && zero)) return { kind: 'lost' };
  return { kind: 'waits', quietShare: 1 - changedShare };
}

function hasRoom({ items, mapped, copies }: SharedContent<PageHolder>, maxPageSharing: number): boolean {
  return mapped > 0 && items < copies * maxPageSharing;
}

/** Nodes of ksmd's two trees. */
export interface Trees {
  readonly stable: number;
  readonly unstable: number;
}

/** CPU time of such a page, in nanoseconds. */
export function costOf(verdict: Verdict, known: boolean, { stable, unstable }: Trees, costs: KsmdCosts): number {
  const record = known ? costs.checksumNanos : costs.firstNanos;
  const inStable = searchNanos(stable, costs.stableSearch);
  const inBoth = inStable + searchNanos(unstable, costs.unstableSearch);
  switch (verdict.kind) {
    case 'noted':
      return record;
    case 'waits':
      return record + verdict.quietShare * inBoth;
    case 'joins':
      return record + inStable + costs.mergeNanos;
    case 'pairs':
      // The new shared page finds its place in the stable tree.
      return record + inBoth + inStable + costs.mergeNanos;
    case 'zeroed':
      return record + costs.zeroNanos;
    case 'frees':
      return record + inBoth + costs.splitNanos;
    case 'lost':
      return record + inBoth;
  }
}

/** For this many pages of the same verdict and content costOf() stays the same: until the size of a tree changes. */
export function pagesAtCost(verdict: Verdict, { stable, unstable }: Trees, copies: number | undefined): number {
  const step = sizeStep(unstable);
  switch (verdict.kind) {
    case 'waits':
      return Math.ceil((step.to - unstable) / verdict.quietShare);
    case 'joins':
      // The first of many empty pages makes the shared page that the others find in the tree.
      return copies === 0 ? 1 : Infinity;
    case 'frees':
      return 1;
    case 'pairs':
      return Math.min(sizeStep(stable).to - stable, Math.floor(unstable - step.from) + 1);
    default:
      return Infinity;
  }
}

/** What the verdict makes of `pages` of a content: the family's count of each page, or of all at once for empty ones. */
export function sharedAfter(
  verdict: Verdict,
  old: SharedContent<PageHolder>,
  users: number,
  guest: VirtualGuest,
  pass: number,
  maxPageSharing: number,
): Partial<SharedContent<PageHolder>> {
  switch (verdict.kind) {
    case 'waits':
      return { waiting: guest, waitingPass: pass };
    case 'joins': {
      const items = old.items + users;
      return { items, mapped: old.mapped + users, copies: Math.max(old.copies, Math.ceil(items / maxPageSharing)) };
    }
    case 'pairs':
      return {
        items: old.items + 2,
        mapped: old.mapped + 2,
        copies: old.copies + 1,
        waiting: undefined,
        waitingPass: 0,
      };
    default:
      return {};
  }
}

/** @param isFreed whether pages that are mapped to the zero page are counted nowhere. */
export function treeAfter({ kind }: Verdict, isFreed: boolean): Pages['tree'] {
  switch (kind) {
    case 'noted':
    case 'lost':
      return 'none';
    case 'waits':
      return 'unstable';
    case 'zeroed':
      return isFreed ? 'freed' : 'zero';
    default:
      return 'stable';
  }
}

/** The family of these pages, if they are in one, and the place of `address` in it. */
export function placeOf(
  pages: Pages,
  address: number,
): { readonly family: GuestFamily; readonly place: number } | undefined {
  const { content } = pages;
  if (content.kind === 'own') return undefined;
  return { family: content.family, place: content.kind === 'zero' ? 0 : address + content.shift };
}
