import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { errnoOf } from '../errors.js';
import { type Root, isAbsence } from './sysfs.js';

const UNITS = '/etc/systemd/system';

/**
 * The systemd services that start with the host, by the file names of their units: what `systemctl enable` has put into
 * a directory TARGET.wants or TARGET.requires of /etc/systemd/system. An alias counts as the unit that it stands for; what
 * is masked, or left over from a package that was removed, does not count.
 *
 * @returns undefined where there is no /etc/systemd/system.
 */
export function readEnabledServices(root: Root): ReadonlySet<string> | undefined {
  try {
    const targets = readdirSync(`${root}${UNITS}`).filter((name) => /\.(wants|requires)$/.test(name));
    const wanted = targets.flatMap((target) => readdirSync(`${root}${UNITS}/${target}`).map((name) => [target, name]));
    return new Set(wanted.flatMap(([target = '', name = '']) => unitOf(root, target, name) ?? []));
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** Whether the unit of this name is an alias of samepaged's: who disables it, disables samepaged. */
export function isOurAlias(root: Root, unit: string): boolean {
  return basename(linkTarget(root, UNITS, unit) ?? '') === 'samepaged.service';
}

/** The unit that a target wants under this name. An administrator's link of the same name wins over the target's own. */
function unitOf(root: Root, target: string, name: string): string | undefined {
  const replacement = linkTarget(root, UNITS, name);
  const unit = replacement ?? linkTarget(root, `${UNITS}/${target}`, name);
  // `systemctl mask` puts a link to /dev/null in place of the unit.
  if (unit === '/dev/null' || (unit !== undefined && !existsSync(`${root}${unit}`))) return undefined;
  return replacement === undefined ? name : basename(replacement);
}

/** What the link names, as an absolute path below `root`; undefined for what is no link. */
function linkTarget(root: Root, directory: string, name: string): string | undefined {
  try {
    return resolve(directory, readlinkSync(`${root}${directory}/${name}`));
  } catch (error) {
    if (isAbsence(error) || errnoOf(error) === 'EINVAL') return undefined;
    throw error;
  }
}
