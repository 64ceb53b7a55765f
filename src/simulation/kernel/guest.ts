import type { HugePages } from '../../core/hugePages.js';
import { ALIGNED, type Area, type SystemMiB, areasOf } from './areas.js';
import { type Contents, type GuestFamily, type PageContent, type Pages, samePages, unseen } from './pages.js';
import { type PageCounts, countsOf } from './pageCounts.js';
import { Ranges } from './ranges.js';
import type { GuestContent } from '../step.js';

/** Shares of pages are whole numbers of this power of two: sums of them are exact, in whatever parts they are added up. */
const SHARE_STEP = 2 ** -16;

/** Size of a huge page; what is empty begins at such an address. */
const HUGE_PAGE_MIB = 2;

/** A guest's memory that is offered to KSM, in pages from address 0: its system, then common, empty and own pages. */
export class VirtualGuest {
  readonly name: string;
  readonly memory = new Ranges<Pages>(samePages);
  /** Ended, and ksmd has not noticed yet. */
  ended = false;
  readonly isInHugePages: boolean;
  /** Pages of a huge page. */
  readonly hugePagePages: number;
  private readonly contents: Contents;
  private areas: readonly Area[];
  /** How long the guest takes to write all its own pages again; Infinity when it does not. */
  private readonly rewriteNanos: number;
  /** How much of its empty memory it writes to and empties again. */
  private readonly emptiedPagesPerMilli: number;
  private emptiedPages = 0;
  private visitedAtNanos = 0;
  private betweenVisitsNanos = Infinity;
  /** Kept for as long as the memory's version is the same: no part of the state. */
  #counted: { readonly version: number; readonly counts: PageCounts } | undefined;

  constructor(
    name: string,
    content: GuestContent,
    system: SystemMiB,
    contents: Contents,
    pagesPerMiB: number,
    { mayHoldGuests, splitFreesZeros }: HugePages,
  ) {
    this.name = name;
    this.contents = contents;
    this.isInHugePages = mayHoldGuests;
    this.hugePagePages = HUGE_PAGE_MIB * pagesPerMiB;
    const { ownMiB, rewrittenMiBPerSecond, rewrittenZeroMiBPerSecond = 0 } = content;
    this.areas = areasOf(content, system, contents, pagesPerMiB, mayHoldGuests && splitFreesZeros);
    this.rewriteNanos = rewrittenMiBPerSecond > 0 ? (ownMiB / rewrittenMiBPerSecond) * 1e9 : Infinity;
    this.emptiedPagesPerMilli = (rewrittenZeroMiBPerSecond * pagesPerMiB) / 1000;
  }

  /** Pages it will have when it is full. */
  get pages(): number {
    return this.areas.at(-1)?.to ?? 0;
  }

  /** Counted once for each state of its memory. */
  get counts(): PageCounts {
    const { version } = this.memory;
    if (this.#counted?.version !== version) this.#counted = { version, counts: countsOf(this.memory.all()) };
    return this.#counted.counts;
  }

  /** Fills memory up to `to`. */
  fill(to: number): void {
    for (const area of this.areas) {
      const pages = Math.min(to, area.to) - Math.max(this.memory.length, area.from);
      if (pages <= 0) continue;
      this.hold(area.content, this.memory.length, this.memory.length + pages, 1);
      this.memory.append(pages, unseen(area.content));
    }
  }

  /** Its own pages, but for the system's, become those of every other guest that has done so; none is left to rewrite. */
  align(): void {
    const own = this.areas.find(({ content }) => content.kind === 'own' && content.rewritten);
    if (own === undefined) return;
    const family = this.contents.family(ALIGNED, own.to - own.from);
    const content: PageContent = { kind: 'family', family, shift: -own.from };
    this.areas = this.areas.map((area) => (area === own ? { ...area, content } : area));
    const to = Math.min(own.to, this.memory.length);
    this.memory.update(own.from, to, (pages) => ({
      ...pages,
      content,
      checksum: pages.checksum === 'none' ? 'none' : 'stale',
    }));
    this.hold(content, own.from, to, 1);
  }

  /** Its memory is gone; ksmd's records of it are not. */
  end(): void {
    this.ended = true;
    for (const { from, to, value } of this.memory.all()) {
      if (value.tree !== 'freed') this.hold(value.content, from, to, -1);
      if (value.tree === 'stable') this.changeContent(value.content, from, to, (pages) => ({ mapped: -pages }));
      if (value.tree === 'unstable' && value.content.kind === 'family') {
        const { family, shift } = value.content;
        this.contents.change(family, from + shift, to + shift, ({ waiting }) =>
          waiting === this ? { waiting: undefined, waitingPass: 0 } : {},
        );
      }
    }
  }

  /** ksmd has noticed that it ended. */
  forget(): void {
    for (const { from, to, value } of this.memory.all()) {
      if (value.tree === 'stable') this.changeContent(value.content, from, to, (pages) => ({ items: -pages }));
    }
  }

  get emptiesPages(): boolean {
    return this.emptiedPagesPerMilli > 0;
  }

  /** What it has written to and emptied again since it was asked last, round and round; `millis` is how long it runs. */
  emptiedUntil(millis: number): readonly { readonly from: number; readonly to: number }[] {
    const area = this.areas.find(({ content }) => content.kind === 'zero');
    if (area === undefined) return [];
    const { from } = area;
    const pages = Math.min(area.to, this.memory.length) - from;
    const before = this.emptiedPages;
    this.emptiedPages = Math.trunc(millis * this.emptiedPagesPerMilli);
    const count = Math.min(this.emptiedPages - before, pages);
    if (count <= 0) return [];
    const begin = from + (before % pages);
    const end = begin + count;
    const around = end - (from + pages);
    return around <= 0
      ? [{ from: begin, to: end }]
      : [
          { from: begin, to: from + pages },
          { from, to: from + around },
        ];
  }

  /** Merged empty pages are its own again, each in a page for itself. */
  takeBack(from: number, to: number): void {
    for (const { value, ...run } of this.memory.between(from, to)) {
      if (value.tree === 'freed') this.hold(value.content, run.from, run.to, 1);
      if (value.tree !== 'stable') continue;
      this.changeContent(value.content, run.from, run.to, (pages) => ({ items: -pages, mapped: -pages }));
    }
    this.memory.update(from, to, (pages) =>
      pages.tree === 'stable' || pages.tree === 'zero' || pages.tree === 'freed' ? { ...pages, tree: 'none' } : pages,
    );
  }

  /** The huge page at an address is split, and what of it is empty is freed. @returns the number of those pages. */
  splitAt(address: number): number {
    const area = this.areas.find(({ from, to }) => from <= address && address < to);
    if (area === undefined) return 0;
    const begin = address - ((address - area.from) % this.hugePagePages);
    let freed = 0;
    for (const { value, from, to } of this.memory.between(begin, Math.min(begin + this.hugePagePages, area.to))) {
      if (value.content.kind !== 'zero' || !value.content.huge) continue;
      this.release(from, to);
      freed += to - from;
    }
    this.memory.update(begin, begin + this.hugePagePages, (pages) => {
      const { content } = pages;
      if (content.kind !== 'zero' || !content.huge) return pages;
      return { ...pages, content: { ...content, huge: false }, tree: 'freed' };
    });
    return freed;
  }

  /** These empty pages take no memory any more. */
  release(from: number, to: number): void {
    for (const { value, ...run } of this.memory.between(from, to)) this.hold(value.content, run.from, run.to, -1);
  }

  /** Where in its memory it has the page `place` of `family`. */
  addressOf(family: GuestFamily, place: number): number | undefined {
    for (const { content } of this.areas) {
      if (content.kind === 'family' && content.family === family) return place - content.shift;
    }
    return undefined;
  }

  /** ksmd comes by. */
  visit(nowNanos: number): void {
    this.betweenVisitsNanos = nowNanos - this.visitedAtNanos;
    this.visitedAtNanos = nowNanos;
  }

  /** The share of such pages that it wrote in the time of `passes` passes, up to this visit; a multiple of SHARE_STEP. */
  rewrittenShare(content: PageContent, passes: number): number {
    if (content.kind !== 'own' || !content.rewritten) return 0;
    const share = Math.min((this.betweenVisitsNanos * passes) / this.rewriteNanos, 1);
    return Math.round(share / SHARE_STEP) * SHARE_STEP;
  }

  private hold(content: PageContent, from: number, to: number, sign: 1 | -1): void {
    this.changeContent(content, from, to, (pages) => ({ holders: sign * pages }));
  }

  /** Adds to the counts of the content of these addresses; of empty pages all are one content. */
  private changeContent(
    content: PageContent,
    from: number,
    to: number,
    added: (pages: number) => { holders?: number; items?: number; mapped?: number },
  ): void {
    if (content.kind === 'own' || to <= from) return;
    const [shift, pages] = content.kind === 'family' ? [content.shift, 1] : [-from, to - from];
    const end = content.kind === 'family' ? to + shift : 1;
    const { holders = 0, items = 0, mapped = 0 } = added(pages);
    this.contents.change(content.family, from + shift, end, (old) => ({
      holders: old.holders + holders,
      items: old.items + items,
      mapped: old.mapped + mapped,
      // Which copies a guest's pages leave is not known here: those of empty pages are mostly the guest's own.
      copies:
        content.kind === 'zero'
          ? part(old.copies, old.items + items, old.items)
          : Math.min(old.copies, old.items + items),
    }));
  }
}

function part(copies: number, left: number, before: number): number {
  return before === 0 ? copies : Math.ceil((copies * left) / before);
}
