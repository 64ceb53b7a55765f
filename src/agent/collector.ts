import type { Guests } from './guests.js';
import type { Guest } from '../core/guest.js';
import type { KsmState } from '../core/ksm.js';
import { type MemoryAccounting, availableBytesOf, hostMemory } from '../core/memory.js';
import type { Sample } from '../core/sample.js';
import type { KsmDirectory } from '../host/ksm.js';
import { Ksmd } from '../host/ksmd.js';
import { readMemoryFigures } from '../host/meminfo.js';
import { readPressure } from '../host/pressure.js';
import { type Root, pageSizeBytes } from '../host/sysfs.js';

/** Each guest costs a file to read: they are not read more often than this, after a pass or a start, */
const KERNEL_GUESTS_MILLIS = 10_000;
/** and without either not more often than this: a young guest goes on filling its hugepages. */
const QUIET_KERNEL_GUESTS_MILLIS = 60_000;

type KernelGuests = Awaited<ReturnType<Guests['kernelGuests']>>;

/** Takes samples: the kernel's files and the guests at one moment. */
export class Collector {
  private readonly root: Root;
  private readonly ksm: KsmDirectory;
  private readonly ksmd: Ksmd;
  private readonly guests: Pick<Guests, 'list' | 'kernelGuests'>;
  private readonly pageSizeBytes: number;
  private kernelGuests: KernelGuests = { guests: new Map(), problems: [] };
  /** What was the case when they were read. */
  private readAt: { readonly occasion: string; readonly monotonicMillis: number } | undefined;

  constructor(root: Root, ksm: KsmDirectory, guests: Pick<Guests, 'list' | 'kernelGuests'>) {
    this.root = root;
    this.ksm = ksm;
    this.ksmd = new Ksmd(root);
    this.guests = guests;
    this.pageSizeBytes = pageSizeBytes(root);
  }

  /** @throws MalformedError when the kernel's files do not say what they should. */
  async sample(accounting: MemoryAccounting): Promise<Sample> {
    const { guests: listed, problems } = await this.guests.list();
    const ksm = this.ksm.read();
    const guests = await this.asKernelHas(listed, ksm);
    const figures = readMemoryFigures(this.root);
    const memoryPressurePercent = readPressure(this.root, 'memory')?.recentPercent;
    const cpuStalledNanos = readPressure(this.root, 'cpu')?.stalledNanos;
    const ksmd = this.ksmd.times();
    return {
      takenAtMillis: Date.now(),
      monotonicMillis: performance.now(),
      guests,
      memory: hostMemory(figures, guests, accounting),
      availableBytes: availableBytesOf(figures),
      ksm,
      pageSizeBytes: this.pageSizeBytes,
      problems: [...problems, ...this.kernelGuests.problems],
      ...(ksmd === undefined ? {} : { ksmdCpuNanos: ksmd.cpuNanos, ksmdWaitNanos: ksmd.waitNanos }),
      ...(memoryPressurePercent === undefined ? {} : { memoryPressurePercent }),
      ...(cpuStalledNanos === undefined ? {} : { cpuStalledNanos }),
    };
  }

  /** With what the kernel tells of each, as the last passes left it. */
  private async asKernelHas(guests: readonly Guest[], { fullScans }: KsmState): Promise<readonly Guest[]> {
    const monotonicMillis = performance.now();
    const occasion = [fullScans, ...guests.map(({ name }) => name)].join('\n');
    const { readAt } = this;
    const keptMillis = readAt?.occasion === occasion ? QUIET_KERNEL_GUESTS_MILLIS : KERNEL_GUESTS_MILLIS;
    if (readAt === undefined || monotonicMillis - readAt.monotonicMillis >= keptMillis) {
      this.kernelGuests = await this.guests.kernelGuests();
      this.readAt = { occasion, monotonicMillis };
    }
    return guests.map((guest) => ({ ...guest, ...this.kernelGuests.guests.get(guest.name) }));
  }
}
