import { type AnonymousMemory, type AnonymousReading, firstFreedBySplits } from '../core/freedBySplits.js';
import type { GuestEvent } from '../core/guest.js';
import type { GuestMemory } from '../core/mergeability.js';
import type { HugePages } from '../core/hugePages.js';
import type { KsmSetting } from '../core/ksm.js';
import type { Sample } from '../core/sample.js';
import { VirtualGuest } from './kernel/guest.js';
import { featuresOf } from './kernel/version.js';
import { Ksmd, RECORD_BYTES } from './kernel/ksmd.js';
import { DEFAULT_OPTIONS, type HostOptions } from './hostOptions.js';
import { MemoryPressure, PRESSURE_STEP_MILLIS } from './pressure.js';
import type { GuestContent, Step } from './step.js';

export const PAGE_BYTES = 4096;
const MIB = 1024 ** 2;
const PAGES_PER_MIB = MIB / PAGE_BYTES;
const NANOS_PER_MILLI = 1e6;

/** What nobody but the daemon's books knows of a host. */
type Watched = Required<Pick<Sample, 'freedBySplits' | 'beingFreedBytes'>>;
const NOT_WATCHED: Watched = {
  freedBySplits: firstFreedBySplits({ guests: new Map(), splitBytes: undefined, zeroBytes: 0 }),
  beingFreedBytes: 0,
};

interface RunningGuest {
  readonly guest: VirtualGuest;
  readonly startedMillis: number;
}

/** The kernel is up for so long when the simulation begins. */
const UPTIME_MILLIS = 3_600_000;
/** Guests that empty pages do so at full seconds. */
const EMPTY_STEP_MILLIS = 1000;
/** A starting guest's memory grows in steps, at full quarters of a second. */
const FILL_STEP_MILLIS = 250;
/** A page has at most its own record (rmap_item), that of the shared page it becomes, and the head of a chain of those. */
const RECORDS_OF_A_PAGE = 3;

/**
 * A host in virtual time: memory, guests, ksmd. What is done to it happens at the time it was advanced to; how often it is
 * advanced, and so looked at, changes nothing.
 */
export class VirtualHost {
  readonly ksmd: Ksmd;
  nowMillis = 0;
  /** Of those that run. */
  guestNames: ReadonlySet<string> = new Set();
  private readonly options: Required<HostOptions>;
  private readonly guests = new Map<string, RunningGuest>();
  private filling: readonly RunningGuest[] = [];
  private emptying: readonly RunningGuest[] = [];
  private readonly hugePages: HugePages;
  private filledPages = 0;
  private readonly pressure: MemoryPressure;

  constructor(options: HostOptions) {
    this.options = { ...DEFAULT_OPTIONS, ...options };
    const { kernel, costs, hugePages, memoryMiB } = this.options;
    this.pressure = new MemoryPressure(memoryMiB * MIB);
    const features = featuresOf(kernel);
    this.hugePages = { mayHoldGuests: hugePages, splitFreesZeros: features.splitFreesZeros };
    this.ksmd = new Ksmd(features, costs, PAGE_BYTES, UPTIME_MILLIS * NANOS_PER_MILLI);
    this.ksmd.cpuNanos = this.options.ksmdCpuNanos;
  }

  /** @returns the event that libvirt sends, if it sends one. @param ready its memory is filled at once. */
  take(step: Step, ready: boolean): GuestEvent | undefined {
    const running = this.guests.get(step.guest);
    if (step.kind === 'start') {
      if (running !== undefined) return undefined;
      this.start(step.guest, step.content, ready);
      return { change: 'started', name: step.guest };
    }
    if (running === undefined) return undefined;
    if (step.kind === 'align') {
      running.guest.align();
      return undefined;
    }
    this.guests.delete(step.guest);
    this.guestNames = new Set(this.guests.keys());
    this.filling = this.filling.filter((filling) => filling !== running);
    this.emptying = this.emptying.filter((emptying) => emptying !== running);
    this.filledPages -= running.guest.memory.length;
    this.ksmd.leave(running.guest);
    return { change: 'stopped', name: step.guest };
  }

  advanceTo(millis: number): void {
    while (this.nowMillis < millis) {
      this.nowMillis = Math.min(this.nextStepMillis(), millis);
      this.ksmd.advance(this.sinceBootNanos(this.nowMillis));
      if (this.nowMillis % PRESSURE_STEP_MILLIS === 0) this.pressure.press(this.unusedBytes);
      if (this.nowMillis % FILL_STEP_MILLIS === 0) this.fill();
      if (this.nowMillis % EMPTY_STEP_MILLIS === 0) this.empty();
    }
  }

  /** Whether nothing changes but by ksmd: no guest fills or empties memory, and no task waits for any or has just done so. */
  get isSteady(): boolean {
    // All that ksmd can take is the records of pages.
    const leastBytes = this.unusedBytes - this.filledPages * RECORDS_OF_A_PAGE * RECORD_BYTES;
    return this.filling.length === 0 && this.emptying.length === 0 && this.pressure.staysAway(leastBytes);
  }

  /** When something happens next beside what ksmd does. */
  private nextStepMillis(): number {
    if (this.isSteady) return Infinity;
    const step =
      this.filling.length > 0 ? FILL_STEP_MILLIS : this.emptying.length > 0 ? EMPTY_STEP_MILLIS : PRESSURE_STEP_MILLIS;
    return (Math.floor(this.nowMillis / step) + 1) * step;
  }

  /** @returns why the kernel refuses it. */
  write(setting: KsmSetting, value: number | string): string | undefined {
    return this.ksmd.write(setting, value, this.sinceBootNanos(this.nowMillis));
  }

  /** What the kernel reports of each guest's process (ksm_stat). */
  guestMemory(): readonly Pick<GuestMemory, 'name' | 'residentBytes' | 'mergedBytes' | 'profitBytes'>[] {
    return [...this.guests.values()].map(({ guest }) => {
      const { merged, known } = guest.counts;
      const mergedBytes = merged * PAGE_BYTES;
      const profitBytes = mergedBytes - known * RECORD_BYTES;
      return { name: guest.name, residentBytes: this.residentBytes(guest), mergedBytes, profitBytes };
    });
  }

  /** The guests' private memory as their processes show it, and the huge pages that were split to free some of it. */
  anonymousReading(): AnonymousReading {
    const guests = new Map<string, AnonymousMemory>();
    for (const [name, { guest }] of this.guests) {
      const { present, zero } = guest.counts;
      const [anonBytes, zeroBytes] = [present * PAGE_BYTES, zero * PAGE_BYTES];
      guests.set(name, { process: name, anonBytes, swapBytes: 0, zeroBytes, balloonBytes: undefined });
    }
    return {
      guests,
      splitBytes: this.ksmd.splitPages * PAGE_BYTES,
      zeroBytes: this.ksmd.zeroPages * PAGE_BYTES,
    };
  }

  /** @param watched what was freed unseen by KSM's counters, for whoever keeps the books of it. */
  sample({ freedBySplits, beingFreedBytes }: Watched = NOT_WATCHED): Sample {
    const { memoryMiB, promisedMiB } = this.options;
    const guests = [...this.guests.values()].map(({ guest }) => ({
      name: guest.name,
      residentBytes: this.residentBytes(guest),
      configuredBytes: guest.pages * PAGE_BYTES + promisedMiB * MIB,
    }));
    return {
      takenAtMillis: this.nowMillis,
      monotonicMillis: this.nowMillis,
      memory: {
        totalBytes: memoryMiB * MIB,
        freeBytes: this.freeBytes,
        committedBytes: guests.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
      },
      guests,
      ksm: this.ksmd.state(),
      ksmdCpuNanos: Math.round(this.ksmd.cpuNanos),
      memoryPressurePercent: this.memoryPressurePercent,
      freedBySplits,
      beingFreedBytes,
      hugePages: this.hugePages,
      kernel: this.options.kernel,
      pageSizeBytes: PAGE_BYTES,
      problems: [],
    };
  }

  get freeBytes(): number {
    return Math.max(this.unusedBytes, 0);
  }

  /** What merging saves, in bytes, with what no counter of KSM shows; not what these say of guests that ended. */
  get savedBytes(): number {
    return (this.ksmd.contents.totals.saved + this.ksmd.zeroPages + this.ksmd.freedPages) * PAGE_BYTES;
  }

  /** What merging could save at best. */
  get possibleBytes(): number {
    const { mayHoldGuests, splitFreesZeros } = this.hugePages;
    return this.ksmd.possiblePages(mayHoldGuests && splitFreesZeros) * PAGE_BYTES;
  }

  get memoryPressurePercent(): number {
    return this.pressure.percent;
  }

  /** What does not fit into memory is in swap. */
  get usedBytes(): number {
    const { ownMiB, overheadMiB } = this.options;
    const ownBytes = (ownMiB + overheadMiB * this.guests.size) * MIB;
    return ownBytes + this.filledPages * PAGE_BYTES - this.savedBytes + this.ksmd.bookkeepingBytes;
  }

  private get unusedBytes(): number {
    return this.options.memoryMiB * MIB - this.usedBytes;
  }

  /** As the kernel counts it: merged pages are in it, those mapped to the zero page are not. */
  private residentBytes(guest: VirtualGuest): number {
    return guest.counts.present * PAGE_BYTES + this.options.overheadMiB * MIB;
  }

  private start(name: string, content: GuestContent, ready: boolean): void {
    const guest = new VirtualGuest(
      name,
      content,
      this.options.systemMiB,
      this.ksmd.contents,
      PAGES_PER_MIB,
      this.hugePages,
    );
    const running = { guest, startedMillis: this.nowMillis };
    if (guest.emptiesPages) this.emptying = [...this.emptying, running];
    this.guests.set(name, running);
    this.guestNames = new Set(this.guests.keys());
    this.ksmd.enter(guest);
    if (ready) this.fillTo(guest, guest.pages);
    else this.filling = [...this.filling, running];
  }

  /** What starting guests have filled by now. */
  private fill(): void {
    const pagesPerMilli = (this.options.fillMiBPerSecond * PAGES_PER_MIB) / 1000;
    for (const { guest, startedMillis } of this.filling) {
      this.fillTo(guest, Math.min(Math.trunc((this.nowMillis - startedMillis) * pagesPerMilli), guest.pages));
    }
    if (this.filling.length > 0) this.filling = this.filling.filter(({ guest }) => guest.memory.length < guest.pages);
  }

  /** What guests have emptied by now. */
  private empty(): void {
    for (const { guest, startedMillis } of this.emptying) {
      for (const { from, to } of guest.emptiedUntil(this.nowMillis - startedMillis)) this.ksmd.emptied(guest, from, to);
    }
  }

  private fillTo(guest: VirtualGuest, pages: number): void {
    this.filledPages -= guest.memory.length;
    guest.fill(pages);
    this.filledPages += guest.memory.length;
  }

  private sinceBootNanos(millis: number): number {
    return Math.round((UPTIME_MILLIS + millis) * NANOS_PER_MILLI);
  }
}
