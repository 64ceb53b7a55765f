import { type MemoryAccounting, hostMemory } from '../../core/memory.js';
import { savingsOf } from '../../core/savings.js';
import { KsmDirectory } from '../../host/ksm.js';
import { Ksmd } from '../../host/ksmd.js';
import { readMemoryFigures } from '../../host/meminfo.js';
import { type Root, pageSizeBytes } from '../../host/sysfs.js';
import type { HostNow } from './model.js';

/** The kernel's own figures, which anybody may read: they go on when the daemon does not. */
export class HostReader {
  private readonly root: Root;
  private readonly ksm: KsmDirectory;
  private readonly ksmd: Ksmd;
  private readonly pageBytes: number;

  constructor(root: Root) {
    this.root = root;
    this.ksm = new KsmDirectory(root);
    this.ksmd = new Ksmd(root);
    this.pageBytes = pageSizeBytes(root);
  }

  /** @throws Error that names the file which does not say what it should. */
  read(accounting: MemoryAccounting): HostNow {
    const absence = this.ksm.absence();
    if (absence !== undefined) throw new Error(absence);
    const ksm = this.ksm.read();
    const { totalBytes, freeBytes } = hostMemory(readMemoryFigures(this.root), [], accounting);
    const { run, pagesToScan, sleepMillisecs, pagesScanned } = ksm;
    return {
      atMillis: Date.now(),
      savedBytes: savingsOf(ksm, this.pageBytes).savedBytes,
      ksmdCpuNanos: this.ksmd.times()?.cpuNanos,
      ...{ totalBytes, freeBytes, run, pagesToScan, sleepMillisecs, pagesScanned },
    };
  }
}
