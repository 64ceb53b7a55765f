import type { BusAddress } from '../dbus/address.js';
import { rootProblem, type Root } from '../host/sysfs.js';
import { OPTIONS, UsageError, type VerbInput } from './verb.js';

/**
 * The host that --root names, and the bus to ask: none for another host's files unless --bus names one, as this host's bus
 * does not know of it.
 *
 * @throws UsageError where --root holds no host's files.
 */
export function hostOf({ root, bus }: Pick<VerbInput, 'root' | 'bus'>): {
  readonly root: Root;
  readonly bus: BusAddress | undefined;
} {
  const directory = hostRoot(root);
  return { root: directory, bus: directory !== '' && bus === OPTIONS.bus.default ? undefined : bus };
}

function hostRoot(directory: string): Root {
  if (directory === OPTIONS.root.default) return directory;
  const problem = rootProblem(directory);
  if (problem !== undefined) throw new UsageError(problem);
  return directory.replace(/\/+$/, '');
}
