import type { Guests } from './guests.js';
import {
  type AnonymousMemory,
  type FreedBySplits,
  firstFreedBySplits,
  nextFreedBySplits,
} from '../core/freedBySplits.js';
import { type Guest, type KernelGuest, guestId } from '../core/guest.js';
import { type BeingFreed, type CountedPages, nextBeingFreed } from '../core/beingFreed.js';
import type { Watched } from '../core/savings.js';
import type { HugePages } from '../core/hugePages.js';
import { type KernelVersion, parseKernelVersion } from '../core/kernelVersion.js';
import type { KsmState } from '../core/ksm.js';
import { type MemoryAccounting, availableBytesOf, hostMemory } from '../core/memory.js';
import type { Problem, Sample } from '../core/sample.js';
import type { KsmDirectory } from '../host/ksm.js';
import { ProportionalMemory } from './proportional.js';
import { errnoOf, messageOf } from '../errors.js';
import { silentKernel } from '../host/fuse.js';
import type { FreedBySplitsFile } from '../state/freedBySplits.js';
import { readMemoryFigures } from '../host/meminfo.js';
import { readMemoryPressure } from '../host/pressure.js';
import { type Root, pageSizeBytes, readTextIfThere } from '../host/sysfs.js';
import { hugePagesOf, readTransparentHugepages } from '../host/transparentHugepages.js';
import { type VmStat, readVmStat } from '../host/vmstat.js';

/** Each guest costs two files to read. They are read after a pass, but for at most this share of a core, */
const KERNEL_GUESTS_CPU_SHARE = 0.002;
const LEAST_KERNEL_GUESTS_MILLIS = 1000;
/** after a start, or while ksmd runs, not more often than this, */
const KERNEL_GUESTS_MILLIS = 10_000;
/** and otherwise not more often than this: a young guest goes on filling its hugepages. */
const QUIET_KERNEL_GUESTS_MILLIS = 60_000;

/** What splits of huge pages freed is kept for the next samepaged at the first retune, and then not more often than this. */
const KEEP_MILLIS = 60_000;

/** What the kernel reports of the guests, and of what their memory is in. */
interface KernelView {
  readonly guests: ReadonlyMap<string, KernelGuest>;
  readonly problems: readonly Problem[];
  readonly freedBySplits: FreedBySplits;
  readonly hugePages: HugePages | undefined;
  /** What was the case when it was read, and what reading took. */
  readonly fullScans: number | undefined;
  readonly ids: string;
  readonly readAtMillis: number;
  readonly tookMillis: number;
}

type GuestSource = Pick<Guests, 'list' | 'kernelGuests' | 'proportional'>;

/** Takes samples: the kernel's files and the guests at one moment. */
export class Collector {
  private readonly root: Root;
  private readonly ksm: KsmDirectory;
  private readonly guests: GuestSource;
  private readonly proportional: ProportionalMemory;
  private readonly pageSizeBytes: number;
  private readonly kernel: KernelVersion | undefined;
  private view: KernelView | undefined;
  private beingFreed: BeingFreed | undefined;
  private readonly kept: FreedBySplitsFile | undefined;
  private keptAtMillis: number | undefined;

  /** @param kept where what splits of huge pages freed survives a restart; undefined in a dry run. */
  constructor(root: Root, ksm: KsmDirectory, guests: GuestSource, kept?: FreedBySplitsFile) {
    this.root = root;
    this.kept = kept;
    this.ksm = ksm;
    this.guests = guests;
    this.proportional = new ProportionalMemory(guests);
    this.pageSizeBytes = pageSizeBytes(root);
    this.kernel = parseKernelVersion(readTextIfThere(`${root}/proc/sys/kernel/osrelease`) ?? '');
  }

  /** What was seen that KSM's counters do not report. */
  get watched(): Watched {
    return { freedBytes: this.view?.freedBySplits.bytes ?? 0, beingFreedBytes: this.beingFreed?.bytes ?? 0 };
  }

  /** @throws MalformedError when the kernel's files do not say what they should, and Error when they do not answer. */
  async sample(accounting: MemoryAccounting): Promise<Sample> {
    const silent = await silentKernel(this.root);
    if (silent !== undefined) throw new Error(silent);
    const { guests: listed, problems } = await this.guests.list();
    const unread: Problem[] = [];
    const ksm = this.ksm.read(unread);
    const view = await this.kernelView(listed, ksm);
    const guests = listed.map((guest) => withKernelGuest(guest, view.guests.get(guestId(guest))));
    this.beingFreed = nextBeingFreed(this.beingFreed, countedPages(listed, view.guests, ksm, this.pageSizeBytes));
    const figures = readMemoryFigures(this.root);
    const pss = accounting === 'pss' ? await this.proportional.of(listed, view.guests, ksm, unread) : undefined;
    const memoryPressurePercent = readOr(unread, () => readMemoryPressure(this.root));
    const ksmd = readOr(unread, () => this.ksm.ksmd.times());
    return {
      takenAtMillis: Date.now(),
      monotonicMillis: performance.now(),
      guests,
      memory: hostMemory(figures, guests, accounting, pss),
      availableBytes: availableBytesOf(figures),
      ksm,
      pageSizeBytes: this.pageSizeBytes,
      problems: [...problems, ...view.problems, ...unread],
      freedBySplits: view.freedBySplits,
      beingFreedBytes: this.beingFreed.bytes,
      ...(view.hugePages === undefined ? {} : { hugePages: view.hugePages }),
      ...(this.kernel === undefined ? {} : { kernel: this.kernel }),
      ...(ksmd === undefined ? {} : { ksmdCpuNanos: ksmd.cpuNanos, ksmdWaitNanos: ksmd.waitNanos }),
      ...(memoryPressurePercent === undefined ? {} : { memoryPressurePercent }),
    };
  }

  /** What the kernel reports of the guests, as the last passes left it. */
  private async kernelView(
    listed: readonly Guest[],
    { fullScans, run, ksmZeroPages = 0 }: KsmState,
  ): Promise<KernelView> {
    const ids = listed.map(guestId).join('\n');
    const nowMillis = performance.now();
    const { view: before } = this;
    if (before !== undefined && nowMillis - before.readAtMillis < keptMillis(before, { fullScans, run, ids }))
      return before;

    const { guests, problems } = await this.guests.kernelGuests();
    const unread: Problem[] = [];
    const hugepages = readOr(unread, () => readTransparentHugepages(this.root));
    const vmStat = readOr(unread, () => readVmStat(this.root));
    const reading = {
      guests: anonymousMemoryOf(listed, guests),
      splitBytes: vmStat === undefined ? undefined : splitBytesOf(vmStat, hugepages?.sizeBytes ?? 0),
      zeroBytes: ksmZeroPages * this.pageSizeBytes,
    };
    const freedBefore = before === undefined ? this.freedBefore(unread) : before.freedBySplits;
    const freedBySplits =
      freedBefore === undefined ? firstFreedBySplits(reading) : nextFreedBySplits(freedBefore, reading);
    await this.keep(freedBySplits, unread);
    this.view = {
      guests,
      problems: [...problems, ...unread],
      ...{ fullScans, ids, readAtMillis: nowMillis, tookMillis: performance.now() - nowMillis },
      freedBySplits,
      hugePages: hugePagesOf(hugepages),
    };
    return this.view;
  }

  /** What the samepaged before this one had seen. */
  private freedBefore(problems: Problem[]): FreedBySplits | undefined {
    try {
      return this.kept?.read();
    } catch (error) {
      problems.push(this.notKept(`cannot be used (${firstLine(messageOf(error))})`, 'is counted from 0'));
      return undefined;
    }
  }

  private async keep(freed: FreedBySplits, problems: Problem[]): Promise<void> {
    const nowMillis = performance.now();
    const { keptAtMillis } = this;
    const isDue = keptAtMillis === undefined || (freed.accounts.size > 0 && nowMillis - keptAtMillis >= KEEP_MILLIS);
    if (freed.reading.splitBytes === undefined || !isDue) return;
    this.keptAtMillis = nowMillis;
    try {
      await this.kept?.write(freed);
    } catch (error) {
      const why = errnoOf(error) ?? messageOf(error);
      problems.push(this.notKept(`cannot be written (${why})`, 'is counted from 0 after a restart'));
    }
  }

  private notKept(what: string, consequence: string): Problem {
    const path = this.kept?.path ?? '';
    return { subject: path, sentence: `${path} ${what}: what splits of huge pages freed ${consequence}` };
  }
}

/** A parser's message may quote what it read. */
function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.slice(0, 100) ?? '';
}

/** What `read` returns, of a file without which samepaged can do: where it cannot be understood, that is a problem. */
function readOr<T>(problems: Problem[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const sentence = messageOf(error);
    problems.push({ subject: sentence.split(': ', 1)[0] ?? sentence, sentence: `${sentence}; going on without it` });
    return undefined;
  }
}

/** For how long a view is good enough. */
function keptMillis(view: KernelView, now: Pick<KernelView, 'fullScans' | 'ids'> & { readonly run: number }): number {
  if (now.run === 1 && view.fullScans !== now.fullScans) {
    return Math.max(LEAST_KERNEL_GUESTS_MILLIS, view.tookMillis / KERNEL_GUESTS_CPU_SHARE);
  }
  const changes = now.run === 1 || view.ids !== now.ids || view.fullScans !== now.fullScans;
  return changes ? KERNEL_GUESTS_MILLIS : QUIET_KERNEL_GUESTS_MILLIS;
}

function withKernelGuest(guest: Guest, seen: KernelGuest | undefined): Guest {
  if (seen === undefined) return guest;
  const { hugetlbBytes, ksmProfitBytes } = seen;
  return {
    ...guest,
    ...(hugetlbBytes === undefined ? {} : { hugetlbBytes }),
    ...(ksmProfitBytes === undefined ? {} : { ksmProfitBytes }),
  };
}

function anonymousMemoryOf(
  listed: readonly Guest[],
  seen: ReadonlyMap<string, KernelGuest>,
): ReadonlyMap<string, AnonymousMemory> {
  const guests = listed.flatMap((guest): [string, AnonymousMemory][] => {
    const id = guestId(guest);
    const anonymous = seen.get(id)?.anonymous;
    return anonymous === undefined ? [] : [[id, { ...anonymous, balloonBytes: guest.balloonBytes }]];
  });
  return new Map(guests);
}

function countedPages(
  listed: readonly Guest[],
  seen: ReadonlyMap<string, KernelGuest>,
  { pagesSharing, fullScans = 0 }: KsmState,
  pageBytes: number,
): CountedPages {
  const merged = [...seen].flatMap(([id, { mergedBytes }]): [string, number][] =>
    mergedBytes === undefined ? [] : [[id, mergedBytes]],
  );
  return {
    mergedBytes: new Map(merged),
    running: new Set(listed.map(guestId)),
    sharingBytes: pagesSharing * pageBytes,
    fullScans,
  };
}

/** See AnonymousReading. */
function splitBytesOf(
  { splitHugePages, splitUnderusedHugePages = 0 }: VmStat,
  hugePageBytes: number,
): number | undefined {
  return splitHugePages === undefined ? undefined : (splitHugePages - splitUnderusedHugePages) * hugePageBytes;
}
