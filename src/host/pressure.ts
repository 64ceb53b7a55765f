import { errnoOf } from '../errors.js';
import { MalformedError, type Root, readTextIfThere } from './sysfs.js';

/** What tasks waited for, as far as the kernel reports it. */
export interface Pressure {
  /** The part of the last 10 s in which at least one task waited, percent from 0 to 100 ("some avg10"). */
  readonly recentPercent: number;
  /** The time in which at least one task waited, since boot, in nanoseconds ("some total", which has microseconds). */
  readonly stalledNanos: number;
}

/**
 * Pressure on a resource (/proc/pressure). Undefined where the kernel does not report it: before Linux 4.20, without CONFIG_PSI,
 * or booted with psi=0, where reading the file fails.
 *
 * https://docs.kernel.org/accounting/psi.html
 *
 * @throws MalformedError
 */
export function readPressure(root: Root, resource: 'memory' | 'cpu'): Pressure | undefined {
  const path = `${root}/proc/pressure/${resource}`;
  const text = textIfTold(path);
  if (text === undefined) return undefined;
  const [, percent, micros] = /^some avg10=(\d+\.\d+) .*total=(\d+)$/m.exec(text) ?? [];
  if (percent === undefined || micros === undefined) {
    throw new MalformedError(path, 'a line "some avg10=NUMBER ... total=NUMBER"', text);
  }
  return { recentPercent: Number(percent), stalledNanos: Number(micros) * 1000 };
}

function textIfTold(path: string): string | undefined {
  try {
    return readTextIfThere(path);
  } catch (error) {
    if (errnoOf(error) === 'EOPNOTSUPP') return undefined;
    throw error;
  }
}
