import type { Guests } from './guests.js';
import { type MemoryAccounting, hostMemory } from './core/memory.js';
import type { Sample } from './core/sample.js';
import type { KsmDirectory } from './host/ksm.js';
import { Ksmd } from './host/ksmd.js';
import { readMemoryFigures } from './host/meminfo.js';
import { memoryPressurePercent } from './host/pressure.js';
import { type Root, pageSizeBytes } from './host/sysfs.js';

/** Takes samples: the kernel's files and the guests at one moment. */
export class Collector {
  private readonly root: Root;
  private readonly ksm: KsmDirectory;
  private readonly ksmd: Ksmd;
  private readonly guests: Pick<Guests, 'list'>;
  private readonly pageSizeBytes: number;

  constructor(root: Root, ksm: KsmDirectory, guests: Pick<Guests, 'list'>) {
    this.root = root;
    this.ksm = ksm;
    this.ksmd = new Ksmd(root);
    this.guests = guests;
    this.pageSizeBytes = pageSizeBytes(root);
  }

  /** @throws MalformedError when the kernel's files do not say what they should. */
  async sample(accounting: MemoryAccounting): Promise<Sample> {
    const { guests, problems } = await this.guests.list();
    const pressurePercent = memoryPressurePercent(this.root);
    const ksmdCpuNanos = this.ksmd.cpuNanos();
    return {
      takenAtMillis: Date.now(),
      guests,
      memory: hostMemory(readMemoryFigures(this.root), guests, accounting),
      ksm: this.ksm.read(),
      pageSizeBytes: this.pageSizeBytes,
      problems,
      ...(ksmdCpuNanos === undefined ? {} : { ksmdCpuNanos }),
      ...(pressurePercent === undefined ? {} : { memoryPressurePercent: pressurePercent }),
    };
  }
}
