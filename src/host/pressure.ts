import { errnoOf } from '../errors.js';
import { MalformedError, type Root, readTextIfThere } from './sysfs.js';

/**
 * The part of the last 10 s in which at least one task waited for `resource`, percent from 0 to 100 (/proc/pressure,
 * "some avg10"). Undefined where the kernel does not tell: before Linux 4.20, without CONFIG_PSI, or
 * booted with psi=0, where reading the file fails.
 *
 * https://docs.kernel.org/accounting/psi.html
 *
 * @throws MalformedError
 */
export function pressurePercent(root: Root, resource: 'memory' | 'cpu'): number | undefined {
  const path = `${root}/proc/pressure/${resource}`;
  const text = textIfTold(path);
  if (text === undefined) return undefined;
  const percent = /^some avg10=(\d+\.\d+) /.exec(text)?.[1];
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
