// ksmd as mm/ksm.c has it, a page at a time: what the simulation's runs of pages must come to.
import type { Scanner } from '../../src/simulation/kernel/scanner.js';

interface Item {
  checksum: string;
  tree: 'none' | 'unstable' | 'stable';
  age: number;
  remainingSkips: number;
}

export interface ReferenceGuest {
  readonly name: string;
  /** What is in each page. */
  pages: string[];
  readonly items: (Item | undefined)[];
  /** Addresses whose item is on a shared page's list. */
  readonly merged: Set<number>;
  ended: boolean;
}

type Counters = Pick<Scanner, 'items' | 'unshared' | 'skipped'> & { shared: number; sharing: number; passes: number };

/** One shared page for a content: max_page_sharing is never reached here. */
export class ReferenceKsm {
  readonly guests: ReferenceGuest[] = [];
  skipped = 0;
  passes = 0;
  private readonly smartScan: boolean;
  private readonly checksumFirst: boolean;
  /** Users of each shared page, ended ones until they are noticed. */
  private readonly stable = new Map<string, { users: number; mapped: number }>();
  private unstable = new Map<string, { guest: ReferenceGuest; item: Item; address: number }>();
  private cursor = -1;
  private address = 0;

  constructor(smartScan: boolean, checksumFirst: boolean) {
    this.smartScan = smartScan;
    this.checksumFirst = checksumFirst;
  }

  enter(name: string, pages: string[]): ReferenceGuest {
    const guest: ReferenceGuest = { name, pages, items: [], merged: new Set(), ended: false };
    if (this.cursor < 0) this.guests.push(guest);
    else this.guests.splice(this.cursor++, 0, guest);
    return guest;
  }

  leave(guest: ReferenceGuest): void {
    guest.ended = true;
    for (const address of guest.merged) {
      const node = this.stable.get(guest.pages[address] ?? '');
      if (node !== undefined) node.mapped -= 1;
    }
    for (const [content, waiting] of this.unstable) if (waiting.guest === guest) this.unstable.delete(content);
    const index = this.guests.indexOf(guest);
    const known = guest.items.some((item) => item !== undefined);
    if (known && index === this.cursor) return;
    this.guests.splice(index, 1);
    if (index === this.cursor) this.address = 0;
    else if (index < this.cursor) this.cursor -= 1;
    if (known) this.guests.splice(this.cursor + 1, 0, guest);
  }

  /** The guest's page at each address is another from now on; none of them may be merged. */
  rewrite(guest: ReferenceGuest, from: number, contents: readonly string[]): void {
    guest.pages.splice(from, contents.length, ...contents);
  }

  /** Looks at one page, forgets an ended guest, or ends or begins a pass. */
  step(): void {
    if (this.guests.length === 0) return;
    if (this.cursor < 0) {
      [this.cursor, this.address] = [0, 0];
      this.unstable = new Map();
    }
    for (;;) {
      const guest = this.guests[this.cursor];
      if (guest === undefined) {
        this.cursor = -1;
        this.passes += 1;
        return;
      }
      if (guest.ended) {
        this.forget(guest);
        return;
      }
      if (this.address < guest.pages.length) {
        this.look(guest, this.address++);
        return;
      }
      this.cursor += 1;
      this.address = 0;
    }
  }

  counters(): Counters {
    const items = this.guests.flatMap((guest) => guest.items.filter((item) => item !== undefined));
    const nodes = [...this.stable.values()].filter(({ users }) => users > 0);
    return {
      items: items.length,
      unshared: items.filter(({ tree }) => tree === 'unstable').length,
      skipped: this.skipped,
      shared: nodes.length,
      sharing: nodes.reduce((sum, { users }) => sum + users - 1, 0),
      passes: this.passes,
    };
  }

  private forget(guest: ReferenceGuest): void {
    for (const address of guest.merged) {
      const node = this.stable.get(guest.pages[address] ?? '');
      if (node !== undefined) node.users -= 1;
    }
    this.guests.splice(this.cursor, 1);
    this.address = 0;
  }

  private look(guest: ReferenceGuest, address: number): void {
    const item = (guest.items[address] ??= { checksum: '', tree: 'none', age: 0, remainingSkips: 0 });
    const content = guest.pages[address] ?? '';
    if (item.tree === 'stable') return;
    if (this.smartScan && this.skips(item)) {
      this.skipped += 1;
      item.tree = 'none';
      return;
    }
    item.tree = 'none';
    if (!this.checksumFirst && this.join(guest, address, item, content)) return;
    if (item.checksum !== content) {
      item.checksum = content;
      return;
    }
    if (this.join(guest, address, item, content)) return;
    const waiting = this.unstable.get(content);
    if (waiting === undefined) {
      this.unstable.set(content, { guest, item, address });
      item.tree = 'unstable';
      return;
    }
    this.unstable.delete(content);
    const left = this.stable.get(content)?.users ?? 0;
    this.stable.set(content, { users: left + 2, mapped: 2 });
    for (const side of [waiting, { guest, item, address }]) {
      side.item.tree = 'stable';
      side.guest.merged.add(side.address);
    }
  }

  private join(guest: ReferenceGuest, address: number, item: Item, content: string): boolean {
    const node = this.stable.get(content);
    if (node === undefined || node.mapped === 0) return false;
    node.users += 1;
    node.mapped += 1;
    item.tree = 'stable';
    guest.merged.add(address);
    return true;
  }

  private skips(item: Item): boolean {
    const age = item.age;
    item.age = Math.min(age + 1, 255);
    if (age < 3) return false;
    if (item.remainingSkips === 0) {
      item.remainingSkips = age <= 3 ? 1 : age <= 5 ? 2 : age <= 8 ? 4 : 8;
      return false;
    }
    item.remainingSkips -= 1;
    return true;
  }
}
