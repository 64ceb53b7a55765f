import { errnoOf } from '../errors.js';
import { MalformedError, type Root, readTextIfThere } from './sysfs.js';

/**
 * The part of the last 10 s in which at least one task waited for memory, percent from 0 to 100 ("some avg10" of
 * /proc/pressure/memory). Undefined where the kernel does not report it: before Linux 4.20, without CONFIG_PSI, or booted with
 * psi=0, where reading the file fails.
 *
 * https://docs.kernel.org/accounting/psi.html
 *
 * @throws MalformedError
 */
export function readMemoryPressure(root: Root): number | undefined {
  const path = `${root}/proc/pressure/memory`;
  const text = textIfTold(path);
  if (text === undefined) return undefined;
  const [, percent] = /^some avg10=(\d+\.\d+) /m.exec(text) ?? [];
  if (percent === undefined) throw new MalformedError(path, 'a line "some avg10=NUMBER ..."', text);
  return Number(percent);
}

function textIfTold(path: string): string | undefined {
  try {
    return readTextIfThere(path);
  } catch (error) {
    if (errnoOf(error) === 'EOPNOTSUPP') return undefined;
    throw error;
  }
}
