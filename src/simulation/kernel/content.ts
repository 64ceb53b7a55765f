import { Ranges, type Run } from './ranges.js';

/** What is known of one page's worth of content that guests have in common. */
export interface SharedContent<Holder> {
  /** Pages in guests that have this content now; of empty pages those that take memory or are in a counter of KSM. */
  readonly holders: number;
  /** Pages that ksmd counts as merged; those of ended guests stay in it until ksmd has noticed. */
  readonly items: number;
  /** Of them, those that really are. */
  readonly mapped: number;
  /** Shared pages: one, until it has max_page_sharing users ("dups" then). */
  readonly copies: number;
  /** Who has it in the unstable tree, since which pass: that tree is forgotten at the end of each. */
  readonly waiting: Holder | undefined;
  readonly waitingPass: number;
}

const NOBODY = { holders: 0, items: 0, mapped: 0, copies: 0, waiting: undefined, waitingPass: 0 } as const;

/** Content that guests may have in common, page by page; a guest has all of it or the beginning. */
export type Family<Holder> = Ranges<SharedContent<Holder>>;

/** What the kernel's counters say of shared content, in pages. */
interface Totals {
  shared: number;
  sharing: number;
  /** What merging really saves; less than `sharing` while ksmd has not noticed that a guest ended. */
  saved: number;
  /** Nodes of the stable tree. */
  nodes: number;
  chains: number;
  dups: number;
}

/** All content that guests have in common. */
export class SharedContents<Holder> {
  readonly totals: Totals = { shared: 0, sharing: 0, saved: 0, nodes: 0, chains: 0, dups: 0 };
  /** Empty pages: one content, which a guest has many times. */
  readonly zero: Family<Holder>;
  private readonly families = new Map<string, Family<Holder>>();
  /** The last answer of `possiblePages`, until content changes. */
  #possible:
    { readonly maxPageSharing: number; readonly emptyCostNothing: boolean; readonly pages: number } | undefined;

  constructor() {
    this.zero = this.family('zero', 1);
  }

  /** The family of this name, made long enough for `pages`. */
  family(name: string, pages: number): Family<Holder> {
    const family = this.families.get(name) ?? new Ranges<SharedContent<Holder>>(sameContent);
    this.families.set(name, family);
    family.append(pages - family.length, NOBODY);
    return family;
  }

  change(
    family: Family<Holder>,
    from: number,
    to: number,
    make: (content: SharedContent<Holder>) => Partial<SharedContent<Holder>>,
  ): void {
    this.#possible = undefined;
    this.add(family.between(from, to), -1);
    family.update(from, to, (content) => ({ ...content, ...make(content) }));
    this.add(family.between(from, to), 1);
  }

  /** Nothing is merged any more, and nobody waits. */
  unmerge(): void {
    for (const family of this.families.values()) {
      this.change(family, 0, family.length, ({ holders }) => ({ ...NOBODY, holders }));
    }
  }

  /** What merging could save at best, in pages. @param emptyCostNothing empty pages need no copy of their own. */
  possiblePages(maxPageSharing: number, emptyCostNothing: boolean): number {
    const possible = this.#possible;
    if (possible?.maxPageSharing === maxPageSharing && possible.emptyCostNothing === emptyCostNothing)
      return possible.pages;
    let pages = 0;
    for (const family of this.families.values()) {
      for (const { from, to, value } of family.all()) {
        const copies = family === this.zero && emptyCostNothing ? 0 : Math.ceil(value.holders / maxPageSharing);
        pages += (value.holders - copies) * (to - from);
      }
    }
    this.#possible = { maxPageSharing, emptyCostNothing, pages };
    return pages;
  }

  private add(runs: readonly Run<SharedContent<Holder>>[], sign: 1 | -1): void {
    const { totals } = this;
    for (const { from, to, value } of runs) {
      const pages = sign * (to - from);
      const { items, mapped, copies } = value;
      totals.shared += pages * copies;
      totals.sharing += pages * (items - copies);
      totals.saved += pages * (mapped - Math.min(copies, mapped));
      if (copies > 0) totals.nodes += pages;
      if (copies > 1) totals.chains += pages;
      if (copies > 1) totals.dups += pages * copies;
    }
  }
}

function sameContent<Holder>(a: SharedContent<Holder>, b: SharedContent<Holder>): boolean {
  return (
    a.holders === b.holders &&
    a.items === b.items &&
    a.mapped === b.mapped &&
    a.copies === b.copies &&
    a.waiting === b.waiting &&
    a.waitingPass === b.waitingPass
  );
}
