import { listProcesses } from './processes.js';
import { type Root, MalformedError, readTextIfThere } from './sysfs.js';

/** The CPU time of the kernel's KSM thread. */
export class Ksmd {
  private readonly root: Root;
  private pid: number | undefined;

  constructor(root: Root) {
    this.root = root;
    this.pid = listProcesses(root).find(({ comm }) => comm === 'ksmd')?.pid;
  }

  /**
   * CPU time used since boot, in nanoseconds (first field of /proc/PID/schedstat); undefined where it cannot be seen, as
   * in a container.
   */
  cpuNanos(): number | undefined {
    if (this.pid === undefined) return undefined;
    const path = `${this.root}/proc/${this.pid}/schedstat`;
    const text = readTextIfThere(path);
    if (text === undefined) return undefined;
    const running = /^\d+(?= )/.exec(text)?.[0];
    if (running === undefined) throw new MalformedError(path, 'three numbers', text);
    // Beyond 2^53 ns, 104 days, the last digits are lost, and nobody misses them.
    return Number(running);
  }
}
