import { readFileSync, writeFileSync } from 'node:fs';

const POOL = '/proc/sys/vm/nr_hugepages';
const MIB = 1024 ** 2;
const ATTEMPTS = 10;

function field(name: string): number {
  const kb = new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  if (kb === undefined) throw new Error(`/proc/meminfo has no ${name}`);
  return Number(kb) * 1024;
}

/**
 * Makes the machine's available memory scarce without using any: free memory is set aside in the hugepage pool, which the
 * kernel gives back at once. Disposing of it restores the pool.
 */
export class Scarcity implements Disposable {
  readonly leftBytes: number;
  private readonly before = readFileSync(POOL, 'utf8');
  private readonly giveBack = () => {
    writeFileSync(POOL, this.before);
  };

  /** @throws Error when memory is too fragmented to get there. */
  constructor(availableBytes: number) {
    process.on('exit', this.giveBack);
    // Each attempt drives out caches and moves what is scattered, of which the next can take the place.
    for (let attempt = 0; attempt < ATTEMPTS && field('MemAvailable') > availableBytes * 1.1; attempt += 1) {
      writeFileSync('/proc/sys/vm/drop_caches', '3');
      writeFileSync('/proc/sys/vm/compact_memory', '1');
      const spare = field('MemAvailable') - availableBytes;
      const pages = Number(readFileSync(POOL, 'utf8')) + Math.trunc(spare / field('Hugepagesize'));
      writeFileSync(POOL, String(pages));
    }
    this.leftBytes = field('MemAvailable');
    if (this.leftBytes > availableBytes * 1.2) {
      this[Symbol.dispose]();
      throw new Error(
        `${Math.trunc(this.leftBytes / MIB)} MiB are still available: memory is too fragmented for hugepages`,
      );
    }
  }

  [Symbol.dispose](): void {
    process.off('exit', this.giveBack);
    this.giveBack();
  }
}
