import type { Guests } from './guests.js';
import type { Guest } from './core/guest.js';
import type { KsmState } from './core/ksm.js';
import { type MemoryAccounting, availableBytesOf, hostMemory } from './core/memory.js';
import type { Sample } from './core/sample.js';
import type { KsmDirectory } from './host/ksm.js';
import { Ksmd } from './host/ksmd.js';
import { readMemoryFigures } from './host/meminfo.js';
import { readPressure } from './host/pressure.js';
import { type Root, pageSizeBytes } from './host/sysfs.js';

/** Each guest's profit costs a file to read, and only a pass changes it much: it is not read more often than this. */
const PROFITS_MILLIS = 10_000;

/** Takes samples: the kernel's files and the guests at one moment. */
export class Collector {
  private readonly root: Root;
  private readonly ksm: KsmDirectory;
  private readonly ksmd: Ksmd;
  private readonly guests: Pick<Guests, 'list' | 'ksmProfits'>;
  private readonly pageSizeBytes: number;
  private profits: ReadonlyMap<string, number> = new Map();
  private profitsOf: { readonly fullScans: number | undefined; readonly monotonicMillis: number } | undefined;

  constructor(root: Root, ksm: KsmDirectory, guests: Pick<Guests, 'list' | 'ksmProfits'>) {
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
    const guests = await this.withProfits(listed, ksm);
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
      problems,
      ...(ksmd === undefined ? {} : { ksmdCpuNanos: ksmd.cpuNanos, ksmdWaitNanos: ksmd.waitNanos }),
      ...(memoryPressurePercent === undefined ? {} : { memoryPressurePercent }),
      ...(cpuStalledNanos === undefined ? {} : { cpuStalledNanos }),
    };
  }

  /** With each guest's profit, as the last passes left it. */
  private async withProfits(guests: readonly Guest[], { fullScans }: KsmState): Promise<readonly Guest[]> {
    const monotonicMillis = performance.now();
    const { profitsOf } = this;
    const stale = profitsOf === undefined || monotonicMillis - profitsOf.monotonicMillis >= PROFITS_MILLIS;
    if (stale && profitsOf?.fullScans !== fullScans) {
      this.profits = await this.guests.ksmProfits();
      this.profitsOf = { fullScans, monotonicMillis };
    }
    return guests.map((guest) => {
      const ksmProfitBytes = this.profits.get(guest.name);
      return ksmProfitBytes === undefined ? guest : { ...guest, ksmProfitBytes };
    });
  }
}
