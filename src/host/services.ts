import { readdirSync, readlinkSync } from 'node:fs';
import { errnoOf } from '../errors.js';
import { type Root, isAbsence } from './sysfs.js';

/**
 * The systemd services that start with the host, by their file names: what `systemctl enable` has put into a
 * directory TARGET.wants or TARGET.requires of /etc/systemd/system, without those that are masked.
 *
 * @returns undefined where there is no /etc/systemd/system.
 */
export function readEnabledServices(root: Root): ReadonlySet<string> | undefined {
  const directory = `${root}/etc/systemd/system`;
  try {
    const targets = readdirSync(directory).filter((name) => /\.(wants|requires)$/.test(name));
    const names = targets.flatMap((target) => readdirSync(`${directory}/${target}`));
    return new Set(names.filter((name) => !isMasked(`${directory}/${name}`)));
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** `systemctl mask` puts a link to /dev/null in the place of the unit. */
function isMasked(path: string): boolean {
  try {
    return readlinkSync(path) === '/dev/null';
  } catch (error) {
    if (isAbsence(error) || errnoOf(error) === 'EINVAL') return false;
    throw error;
  }
}
