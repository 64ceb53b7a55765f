import { readlinkSync, statSync } from 'node:fs';
import { type Root, readTextIfThere } from './sysfs.js';

/** What has happened to the processes of a host. */
export interface News {
  /** Numbers of processes and of threads that may have begun. Many of them have ended already. */
  readonly begun: readonly number[];
  /** Whether anything has begun or ended at all. */
  readonly isAny: boolean;
}

/** What /proc/loadavg says of processes and threads. */
interface Counts {
  readonly running: number;
  /** The number that was given away last. */
  readonly newest: number;
}

/** For more numbers than this, listing the processes costs less than asking for each. */
const MOST_NUMBERS = 300;

/**
 * Which processes and threads have begun since it was asked last, from one line: the kernel counts their numbers up, and
 * /proc/loadavg ends with how many there are and which number was the last (proc_loadavg(5)).
 */
export class ProcessNews {
  /** Whether there is any: then the threads of a program tell that an old process has become it. */
  readonly isTold: boolean;
  private readonly root: Root;
  private before: Counts | undefined;

  constructor(root: Root) {
    this.root = root;
    this.isTold = tellsOfTheseProcesses(root);
  }

  /** Undefined where it is not known, as at the first time and when very much has happened: only a listing tells. */
  take(): News | undefined {
    if (!this.isTold) return undefined;
    const before = this.before;
    const counts = readCounts(this.root);
    this.before = counts;
    if (before === undefined || counts === undefined) return undefined;
    const count = counts.newest - before.newest;
    // Numbers begin again from below when the highest has been given away.
    if (count < 0 || count > MOST_NUMBERS) return undefined;
    const begun = Array.from({ length: count }, (_, index) => before.newest + 1 + index);
    return { begun, isAny: count > 0 || counts.running !== before.running };
  }
}

function readCounts(root: Root): Counts | undefined {
  const match = /\/(\d+) (\d+)$/.exec(readTextIfThere(`${root}/proc/loadavg`) ?? '');
  return match === null ? undefined : { running: Number(match[1]), newest: Number(match[2]) };
}

/**
 * Whether the line counts what /proc lists: the kernel writes it for the reader's PID namespace, whatever /proc it stands in, and
 * lxcfs mounts a line of its own there. A copy of another host's files has no "self".
 */
function tellsOfTheseProcesses(root: Root): boolean {
  try {
    const proc = `${root}/proc`;
    return (
      readlinkSync(`${proc}/self`) === String(process.pid) && statSync(`${proc}/loadavg`).dev === statSync(proc).dev
    );
  } catch {
    return false;
  }
}
