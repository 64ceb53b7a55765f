import {
  type Entry,
  type ScanRules,
  type Verdict,
  costOf,
  pagesAtCost,
  placeOf,
  sharedAfter,
  treeAfter,
  verdictOn,
} from './comparing.js';
import type { KsmdCosts } from './costs.js';
import { Cursor } from './cursor.js';
import type { VirtualGuest } from './guest.js';
import { type Contents, type GuestFamily, type Pages, smartScan, unmerged, unseen } from './pages.js';
import type { Piece } from './piece.js';
import type { Run } from './ranges.js';

/** ksmd's records, and what it makes of the pages at its cursor: cmp_and_merge_page() of mm/ksm.c, many pages at a time. */
export class Scanner {
  /** Records (rmap_items). */
  items = 0;
  unshared = 0;
  zeroPages = 0;
  /** Mapped to the zero page, and counted nowhere (`freed`). */
  freedPages = 0;
  /** Of huge pages that were split to free empty pages. */
  splitPages = 0;
  skipped = 0;
  /** Those in force. */
  rules: ScanRules;
  private readonly cursor = new Cursor();
  private readonly contents: Contents;
  private readonly costs: KsmdCosts;
  /** Counts passes, and never starts again. */
  private pass = 0;
  /** Nodes of the unstable tree, which is new in every pass. */
  private unstableNodes = 0;
  /** Whether an empty page has left a node without a page in it. */
  private lostNode = false;

  constructor(contents: Contents, costs: KsmdCosts, rules: ScanRules) {
    this.contents = contents;
    this.costs = costs;
    this.rules = rules;
  }

  get isEmpty(): boolean {
    return this.cursor.guests.length === 0;
  }

  /** Whether it is between two passes. */
  get atHead(): boolean {
    return this.cursor.atHead;
  }

  enter(guest: VirtualGuest): void {
    this.cursor.enter(guest);
  }

  /** A guest ends. Until ksmd comes to it, its records are counted. */
  leave(guest: VirtualGuest): void {
    guest.end();
    this.uncount(guest.memory.all());
    const known = guest.memory.all().some(({ value }) => value.known);
    this.cursor.leave(guest, known);
  }

  /** Every merged page becomes its guest's own again, and all records go. */
  unmerge(): void {
    for (const { memory } of this.cursor.guests) memory.update(0, memory.length, unmerged);
    this.cursor.reset();
    this.contents.unmerge();
    [this.items, this.unshared, this.zeroPages] = [0, 0, 0];
  }

  /**
   * The guest writes to its empty pages from `from` to `to` and empties them again: those that were merged are its own
   * from then on. The kernel counts them as sharing until ksmd comes by, which is not done here.
   */
  emptied(guest: VirtualGuest, from: number, to: number): void {
    this.uncount(guest.memory.between(from, to));
    guest.takeBack(from, to);
  }

  begin(): void {
    this.cursor.begin();
    this.unstableNodes = 0;
    this.lostNode = false;
    this.pass += 1;
  }

  /** The next piece of this pass; undefined at its end. */
  next(nowNanos: number): Piece | undefined {
    const { cursor } = this;
    for (let guest = cursor.enterGuest(nowNanos); guest !== undefined; guest = cursor.enterGuest(nowNanos)) {
      if (guest.ended) return this.forgetting(guest);
      const run = guest.memory.at(cursor.address);
      if (run !== undefined) return this.piece(guest, run);
      cursor.goOn();
    }
    return undefined;
  }

  private forgetting(guest: VirtualGuest): Piece {
    const known = guest.memory.all().filter(({ value }) => value.known);
    const pages = known.reduce((sum, { from, to }) => sum + to - from, 0);
    return {
      pages: 1,
      costNanos: pages * this.costs.forgetNanos,
      counted: false,
      scan: () => {
        guest.forget();
        for (const { from, to, value } of known) this.leaveUnstable(value, to - from);
        this.items -= pages;
        this.cursor.forget();
      },
    };
  }

  private piece(guest: VirtualGuest, run: Run<Pages>): Piece {
    const { value } = run;
    const { costs } = this;
    const rest = run.to - this.cursor.address;
    if (value.tree === 'stable') return this.changing(guest, rest, costs.mergedNanos, true, () => undefined);
    const { tree } = value;
    if (tree === 'zero' || tree === 'freed') {
      return this.changing(guest, rest, costs.skipNanos, false, (pages) => {
        if (value.known) this.items -= pages;
        return { ...unseen(value.content), tree };
      });
    }
    if (!this.rules.smartScan) return this.comparing(guest, value, rest);
    const { skip, age, remainingSkips } = smartScan(value);
    if (!skip) return this.comparing(guest, { ...value, age, remainingSkips }, rest);
    return this.changing(guest, rest, costs.skipNanos, false, (pages) => {
      this.skipped += pages;
      this.leaveUnstable(value, pages);
      return { ...value, age, remainingSkips, tree: 'none', passesSince: value.passesSince + 1 };
    });
  }

  private comparing(guest: VirtualGuest, value: Pages, rest: number): Piece {
    const rules = this.rules;
    const at = placeOf(value, this.cursor.address);
    const content = at?.family.at(at.place);
    const verdict = verdictOn({
      rules,
      pages: value,
      rewrittenShare: guest.rewrittenShare(value.content, value.passesSince + 1),
      shared: content?.value,
      pass: this.pass,
      entry: this.entry,
    });
    const zero = value.content.kind === 'zero';
    const alike = at === undefined || content === undefined || zero ? rest : content.to - at.place;
    const trees = { stable: this.contents.totals.nodes, unstable: this.unstableNodes };
    const pages = Math.min(rest, alike, pagesAtCost(verdict, trees, content?.value.copies));
    return this.changing(guest, pages, costOf(verdict, value.known, trees, this.costs), true, (scanned) => {
      if (!value.known) this.items += scanned;
      this.leaveUnstable(value, scanned);
      if (at !== undefined) this.share(verdict, guest, at.family, at.place, zero, scanned);
      if (verdict.kind === 'waits') {
        this.unshared += scanned * verdict.quietShare;
        this.unstableNodes += scanned * verdict.quietShare;
      }
      if (verdict.kind === 'frees') {
        this.split(guest, content?.value.copies === 0);
        return undefined;
      }
      const isFreed = verdict.kind === 'zeroed' && !rules.zeroPagesCounted;
      if (isFreed) this.freeUncounted(guest, scanned);
      else if (verdict.kind === 'zeroed') this.zeroPages += scanned;
      const quietShare = verdict.kind === 'waits' ? verdict.quietShare : 1;
      const tree = treeAfter(verdict, isFreed);
      return { ...value, known: true, checksum: 'current', passesSince: 0, tree, quietShare };
    });
  }

  private get entry(): Entry {
    if (!this.lostNode) return 'open';
    return this.unstableNodes === 0 ? 'closed' : 'zero-lost';
  }

  /** The huge page at the cursor is split, and its empty pages are freed. @param entered the page came into the unstable tree. */
  private split(guest: VirtualGuest, entered: boolean): void {
    this.freedPages += guest.splitAt(this.cursor.address);
    this.splitPages += guest.hugePagePages;
    if (entered) this.lostNode = true;
  }

  /** KSM maps the pages at the cursor to the zero page, on a kernel that does not count that. */
  private freeUncounted(guest: VirtualGuest, pages: number): void {
    guest.release(this.cursor.address, this.cursor.address + pages);
    this.freedPages += pages;
    if (guest.isInHugePages) this.splitPages += pages;
  }

  private uncount(runs: readonly Run<Pages>[]): void {
    for (const { from, to, value } of runs) {
      if (value.tree === 'zero') this.zeroPages -= to - from;
      if (value.tree === 'freed') this.freedPages -= to - from;
    }
  }

  /** What a verdict on `pages` from `place` on does to the family and to the partner. */
  private share(
    verdict: Verdict,
    guest: VirtualGuest,
    family: GuestFamily,
    place: number,
    zero: boolean,
    pages: number,
  ): void {
    const { maxPageSharing } = this.rules;
    const [to, users] = zero ? [place + 1, pages] : [place + pages, 1];
    this.contents.change(family, place, to, (old) =>
      sharedAfter(verdict, old, users, guest, this.pass, maxPageSharing),
    );
    if (verdict.kind !== 'pairs') return;
    const { partner } = verdict;
    const address = partner.addressOf(family, place) ?? 0;
    partner.memory.update(address, address + pages, (old) => ({ ...old, tree: 'stable' }));
    this.unshared -= pages;
    this.unstableNodes -= pages;
  }

  /** A piece of which each page becomes what `change` says. */
  private changing(
    guest: VirtualGuest,
    pages: number,
    costNanos: number,
    counted: boolean,
    change: (pages: number) => Pages | undefined,
  ): Piece {
    const scan = (scanned: number) => {
      const after = change(scanned);
      if (after !== undefined) guest.memory.update(this.cursor.address, this.cursor.address + scanned, () => after);
      this.cursor.address += scanned;
    };
    return { pages, costNanos, counted, scan };
  }

  private leaveUnstable({ tree, quietShare }: Pages, pages: number): void {
    if (tree === 'unstable') this.unshared -= pages * quietShare;
  }
}
