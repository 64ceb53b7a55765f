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
 * Makes the machine's available memory scarce: free memory is set aside in the hugepage pool, which the kernel gives back
 * at once. What is too scattered for hugepages this process takes. Disposing of it restores the pool.
 */
export class Scarcity implements Disposable {
  readonly leftBytes: number;
  private readonly ballast: Buffer[] = [];
  private readonly before = readFileSync(POOL, 'utf8');
  private readonly giveBack = () => {
    writeFileSync(POOL, this.before);
  };

  /** @throws Error when more stays available. */
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
    const scatteredBytes = field('MemAvailable') - availableBytes;
    if (scatteredBytes > availableBytes * 0.1) this.ballast.push(Buffer.alloc(scatteredBytes, 1));
    this.leftBytes = field('MemAvailable');
    if (this.leftBytes > availableBytes * 1.2) {
      this[Symbol.dispose]();
      throw new Error(`${Math.trunc(this.leftBytes / MIB)} MiB are still available`);
    }
  }

  [Symbol.dispose](): void {
    process.off('exit', this.giveBack);
    this.giveBack();
    this.ballast.length = 0;
  }
}
