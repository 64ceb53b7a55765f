import { readFileSync } from 'node:fs';

/** The `share` quantile of `values` by nearest rank: 0.5 is the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(Math.ceil(share * sorted.length) - 1, 0);
  const value = sorted[rank];
  if (value === undefined) throw new RangeError('no values');
  return value;
}

/** CPU time of a process's threads so far, user and system, in milliseconds (nanoseconds of /proc/PID/task/TID/schedstat). */
export function cpuMillis(pid: number, threads: readonly string[]): number {
  const nanos = threads.map((tid) => Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]));
  return nanos.reduce((sum, value) => sum + value, 0) / 1e6;
}

/** Memory of a process that is in RAM, in bytes. */
export function residentBytes(pid: number): number {
  const kb = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kb === undefined) throw new Error(`process ${pid} has no VmRSS`);
  return Number(kb) * 1024;
}
