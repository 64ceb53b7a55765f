import type { VirtualGuest } from './guest.js';

/** Before the first page of a guest. */
const NOT_ENTERED = -1;

/** Where ksmd is in the kernel's list of guests: scan_get_next_rmap_item() of mm/ksm.c. */
export class Cursor {
  /** Whether it is between two passes. */
  atHead = true;
  /** In the memory of `guest`, in pages. */
  address = NOT_ENTERED;
  /** In the order of the kernel's list; ended ones until they are forgotten. */
  private readonly list: VirtualGuest[] = [];
  private index = 0;

  get guests(): readonly VirtualGuest[] {
    return this.list;
  }

  /** A guest offers its memory: it is put before the one that ksmd is at, and so seen a whole round later. */
  enter(guest: VirtualGuest): void {
    this.list.splice(this.atHead ? this.list.length : this.index, 0, guest);
    if (!this.atHead) this.index += 1;
  }

  /** A guest ended. @param known ksmd has records of it: it comes to it next, and gives them back. */
  leave(guest: VirtualGuest, known: boolean): void {
    const index = this.list.indexOf(guest);
    const atCursor = !this.atHead && index === this.index;
    if (known && atCursor) return;
    this.list.splice(index, 1);
    if (atCursor) this.address = NOT_ENTERED;
    else if (!this.atHead && index < this.index) this.index -= 1;
    if (known) this.list.splice(this.atHead ? 0 : this.index + 1, 0, guest);
  }

  begin(): void {
    this.atHead = false;
    [this.index, this.address] = [0, NOT_ENTERED];
  }

  /** The guest that it is at, which it enters if need be; undefined at the end of the pass. */
  enterGuest(nowNanos: number): VirtualGuest | undefined {
    const guest = this.list[this.index];
    if (guest === undefined) this.atHead = true;
    else if (!guest.ended && this.address === NOT_ENTERED) {
      guest.visit(nowNanos);
      this.address = 0;
    }
    return guest;
  }

  /** Goes on to the next guest. */
  goOn(): void {
    this.index += 1;
    this.address = NOT_ENTERED;
  }

  /** Takes the guest that it is at out of the list. */
  forget(): void {
    this.list.splice(this.index, 1);
    this.address = NOT_ENTERED;
  }

  /** Takes all that have ended out of the list, and goes back to its head. */
  reset(): void {
    this.list.splice(0, this.list.length, ...this.list.filter(({ ended }) => !ended));
    this.atHead = true;
  }
}
