import { type Entry, type Verdict, costOf, pagesAtCost, placeOf, sharedAfter, verdictOn } from './comparing.js';
import type { KsmdCosts } from './costs.js';
import type { VirtualGuest } from './guest.js';
import { type Contents, type GuestFamily, type Pages, smartScan, unseen } from './pages.js';
import type { Run } from './ranges.js';

/** Alike pages that ksmd comes to next: what becomes of them is the same whether it does all at once or some at a time. */
export interface Piece {
  readonly pages: number;
  /** CPU time of one, in nanoseconds. */
  readonly costNanos: number;
  /** Whether a page of it counts towards pages_to_scan. */
  readonly counted: boolean;
  /** Does it to the first `pages` of them. */
  readonly scan: (pages: number) => void;
}

/** What decides about a page beside itself. */
export interface ScanRules {
  readonly smartScan: boolean;
  readonly useZeroPages: boolean;
  readonly maxPageSharing: number;
  readonly checksumFirst: boolean;
  /** Whether the kernel counts the pages that KSM maps to the zero page, and gives them back. */
  readonly zeroPagesCounted: boolean;
}

/** Before the first page of a guest. */
const NOT_ENTERED = -1;

/** ksmd's cursor and its records: scan_get_next_rmap_item() and cmp_and_merge_page() of mm/ksm.c, many pages at a time. */
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
  /** Whether it is between two passes. */
  atHead = true;
  /** Those in force. */
  rules: ScanRules;
  /** In the order of the kernel's list; ended ones until they are forgotten. */
  private readonly guests: VirtualGuest[] = [];
  private readonly contents: Contents;
  private readonly costs: KsmdCosts;
  private cursor = 0;
  private address = NOT_ENTERED;
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
    return this.guests.length === 0;
  }

  /** A guest offers its memory: it is put before the one that ksmd is at, and so seen a whole round later. */
  enter(guest: VirtualGuest): void {
    this.guests.splice(this.atHead ? this.guests.length : this.cursor, 0, guest);
    if (!this.atHead) this.cursor += 1;
  }

  /** A guest ends. ksmd comes to it next, and gives its records back; until then they are counted. */
  leave(guest: VirtualGuest): void {
    guest.end();
    this.uncount(guest.memory.all());
    const index = this.guests.indexOf(guest);
    const atCursor = !this.atHead && index === this.cursor;
    const known = guest.memory.all().some(({ value }) => value.known);
    if (known && atCursor) return;
    this.guests.splice(index, 1);
    if (atCursor) this.address = NOT_ENTERED;
    else if (!this.atHead && index < this.cursor) this.cursor -= 1;
    if (known) this.guests.splice(this.atHead ? 0 : this.cursor + 1, 0, guest);
  }

  /** Every merged page becomes its guest's own again, and all records go. */
  unmerge(): void {
    for (const guest of this.guests) guest.memory.update(0, guest.memory.length, (pages) => unmerged(pages));
    this.guests.splice(0, this.guests.length, ...this.guests.filter(({ ended }) => !ended));
    this.contents.unmerge();
    [this.items, this.unshared, this.zeroPages] = [0, 0, 0];
    this.atHead = true;
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
    this.atHead = false;
    this.unstableNodes = 0;
    this.lostNode = false;
    this.pass += 1;
    [this.cursor, this.address] = [0, NOT_ENTERED];
  }

  /** The next piece of this pass; undefined at its end. */
  next(nowNanos: number): Piece | undefined {
    for (let guest = this.guests[this.cursor]; guest !== undefined; guest = this.guests[this.cursor]) {
      if (guest.ended) return this.forgetting(guest);
      if (this.address === NOT_ENTERED) {
        guest.visit(nowNanos);
        this.address = 0;
      }
      const run = guest.memory.at(this.address);
      if (run !== undefined) return this.piece(guest, run);
      this.cursor += 1;
      this.address = NOT_ENTERED;
    }
    this.atHead = true;
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
        this.guests.splice(this.cursor, 1);
        this.address = NOT_ENTERED;
      },
    };
  }

  private piece(guest: VirtualGuest, run: Run<Pages>): Piece {
    const { value } = run;
    const { costs } = this;
    const rest = run.to - this.address;
    if (value.tree === 'stable') return this.changing(guest, rest, costs.mergedNanos, true, () => undefined);
    const { tree } = value;
    if (tree === 'zero' || tree === 'freed') {
      return this.changing(guest, rest, costs.skipNanos, false, (pages) => {
        if (value.known) this.items -= pages;
        return { ...unseen(value.content), tree };
      });
    }
    const { skip, ...age } = this.rules.smartScan ? smartScan(value) : { ...ageOf(value), skip: false };
    if (!skip) return this.comparing(guest, { ...value, ...age }, rest);
    return this.changing(guest, rest, costs.skipNanos, false, (pages) => {
      this.skipped += pages;
      this.leaveUnstable(value, pages);
      return { ...value, ...age, tree: 'none', passesSince: value.passesSince + 1 };
    });
  }

  private comparing(guest: VirtualGuest, value: Pages, rest: number): Piece {
    const rules = this.rules;
    const at = placeOf(value, this.address);
    const content = at?.family.at(at.place);
    const verdict = verdictOn({
      ...rules,
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
      return { ...value, known: true, checksum: 'current', passesSince: 0, ...treeAfter(verdict, isFreed) };
    });
  }

  private get entry(): Entry {
    if (!this.lostNode) return 'open';
    return this.unstableNodes === 0 ? 'closed' : 'zero-lost';
  }

  /** The huge page at the cursor is split, and its empty pages are freed. @param entered the page came into the unstable tree. */
  private split(guest: VirtualGuest, entered: boolean): void {
    this.freedPages += guest.splitAt(this.address);
    this.splitPages += guest.hugePagePages;
    if (entered) this.lostNode = true;
  }

  /** KSM maps the pages at the cursor to the zero page, on a kernel that does not count that. */
  private freeUncounted(guest: VirtualGuest, pages: number): void {
    guest.release(this.address, this.address + pages);
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
      if (after !== undefined) guest.memory.update(this.address, this.address + scanned, () => after);
      this.address += scanned;
    };
    return { pages, costNanos, counted, scan };
  }

  private leaveUnstable({ tree, quietShare }: Pages, pages: number): void {
    if (tree === 'unstable') this.unshared -= pages * quietShare;
  }
}

function ageOf({ age, remainingSkips }: Pages): Pick<Pages, 'age' | 'remainingSkips'> {
  return { age, remainingSkips };
}

/** Every page that KSM has mapped elsewhere is the guest's own again, as far as it knows of it. */
function unmerged({ tree, content }: Pages): Pages {
  return { ...unseen(content), tree: tree === 'freed' ? 'freed' : 'none' };
}

function treeAfter(verdict: Verdict, isFreed: boolean): Pick<Pages, 'tree' | 'quietShare'> {
  switch (verdict.kind) {
    case 'noted':
    case 'lost':
      return { tree: 'none', quietShare: 1 };
    case 'waits':
      return { tree: 'unstable', quietShare: verdict.quietShare };
    case 'zeroed':
      return { tree: isFreed ? 'freed' : 'zero', quietShare: 1 };
    default:
      return { tree: 'stable', quietShare: 1 };
  }
}
