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
   * CPU time used, and time waited for a CPU, since boot, in nanoseconds (the first two fields of /proc/PID/schedstat);
   * undefined where it cannot be seen, as in a container.
   */
  times(): { readonly cpuNanos: number; readonly waitNanos: number } | undefined {
    if (this.pid === undefined) return undefined;
    const path = `${this.root}/proc/${this.pid}/schedstat`;
    const text = readTextIfThere(path);
    if (text === undefined) return undefined;
    const [, running, waiting] = /^(\d+) (\d+) \d+$/.exec(text) ?? [];
    if (running === undefined || waiting === undefined) throw new MalformedError(path, 'three numbers', text);
    // Beyond 2^53 ns, 104 days, the last digits are lost, and nobody misses them.
    return { cpuNanos: Number(running), waitNanos: Number(waiting) };
  }
}
