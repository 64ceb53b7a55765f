import { readFile } from 'node:fs/promises';

/** A read takes microseconds; one that takes longer waits for a process that is in trouble. */
const READ_MILLIS = 2000;
/**
 * A read that waits for ever keeps one of the four threads of libuv's pool, which no one can take back: this many may be
 * lost, the others are for writes and the log.
 */
const READS_AT_ONCE = 2;

/**
 * The time to wait is waited for in so many turns, in each of which work can come to its end: on a busy machine this process may
 * itself be kept from the CPU for seconds, in which nothing can arrive.
 */
const TURNS = 8;

/** What did not come in time. It goes on all the same, as nobody can stop it. */
export class Overdue extends Error {}

/** How much work is overdue. The pool of threads is the process's own, and so is what is known of it. */
let overdue = 0;
/** The reads under way, by their paths, and whether nobody waits for them any more. */
const reads = new Map<string, { readonly bytes: Promise<Buffer>; isOverdue: boolean }>();
const waiting = new Set<() => void>();

/** Whether work hangs in the kernel: exit() would wait for it. */
export function hangs(): boolean {
  return overdue > 0;
}

/**
 * Does `work`, and waits for it only so long.
 *
 * @param name of the file.
 * @throws Overdue
 */
export async function inTime<T>(name: string, millis: number, work: () => Promise<T>): Promise<T> {
  const done = work();
  if (millis === Infinity) return done;
  return new Promise((resolve, reject) => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
      if (turns < TURNS) return;
      clearInterval(timer);
      overdue += 1;
      const noLonger = () => (overdue -= 1);
      done.then(noLonger, noLonger);
      reject(new Overdue(`${name} does not answer within ${millis / 1000} s`));
    }, millis / TURNS);
    done.then(resolve, reject).finally(() => {
      clearInterval(timer);
    });
  });
}

/**
 * What a file of a process holds whose reading takes that process's memory lock, as cmdline and ksm_stat do: a process in
 * trouble can hold it for ever. Who reads a file that is being read shares in that.
 *
 * @throws Overdue, and Error with its errno.
 */
export async function readInTime(path: string): Promise<Buffer> {
  for (;;) {
    const same = reads.get(path);
    if (same?.isOverdue === true) throw new Overdue(`${path} still does not answer`);
    if (same !== undefined) return same.bytes;
    if (reads.size < READS_AT_ONCE) return begin(path);
    if ([...reads.values()].every(({ isOverdue }) => isOverdue)) {
      throw new Overdue(`${path} is not read while other files do not answer`);
    }
    await new Promise<void>((resolve) => waiting.add(resolve));
  }
}

function begin(path: string): Promise<Buffer> {
  const read = readFile(path).finally(() => {
    reads.delete(path);
    wakeAll();
  });
  const bytes = inTime(path, READ_MILLIS, () => read).catch((error: unknown) => {
    const mine = reads.get(path);
    if (error instanceof Overdue && mine !== undefined) mine.isOverdue = true;
    wakeAll();
    throw error;
  });
  reads.set(path, { bytes, isOverdue: false });
  return bytes;
}

function wakeAll(): void {
  const all = [...waiting];
  waiting.clear();
  for (const wake of all) wake();
}
