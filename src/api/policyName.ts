import { DBusError } from 'dbus-next';
import { DEFAULT_POLICY, type PolicyName } from '../config/help.js';
import { didYouMean } from '../text/nearest.js';
import type { Commands } from './commands.js';

export const INVALID_ARGS = 'org.freedesktop.DBus.Error.InvalidArgs';
const NOT_SUPPORTED = 'org.freedesktop.DBus.Error.NotSupported';

/** The policy of this name. @throws DBusError when there is none, with the nearest, or when it cannot work here. */
export function namedPolicy({ policies, policyObstacle }: Commands, name: string): PolicyName {
  const policy = policies.find((known) => known === name);
  if (policy === undefined) {
    const choices = [...policies, DEFAULT_POLICY];
    const hint = didYouMean(name, choices, `there are ${choices.join(', ')}`);
    throw new DBusError(INVALID_ARGS, `no policy "${name.slice(0, 60)}"${hint}`);
  }
  const obstacle = policyObstacle(policy);
  if (obstacle !== undefined) throw new DBusError(NOT_SUPPORTED, `policy ${policy}: ${obstacle}`);
  return policy;
}
