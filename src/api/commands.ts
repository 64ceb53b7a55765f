import { DBusError } from 'dbus-next';
import type { PolicyName } from '../config/keys.js';
import type { ConfigView } from '../config/view.js';
import type { Hold } from '../core/hold.js';
import type { GuestDetails } from '../core/mergeability.js';
import type { Retune } from '../core/retune.js';
import type { HistoryPage } from '../state/history/store.js';
import { didYouMean } from '../text/nearest.js';
import { DEFAULT_POLICY, INVALID_ARGS } from './names.js';

const NOT_SUPPORTED = 'org.freedesktop.DBus.Error.NotSupported';

/** What the bus can ask of the agent; most give the retune that followed. */
export interface Commands {
  readonly retune: () => Promise<Retune>;
  /** Sets the hold, or ends it. */
  readonly hold: (hold: Hold | undefined, by: string) => Promise<Retune>;
  /** Why unmerging could take the host out of memory. */
  readonly unmergeObstacle: () => string | undefined;
  readonly policies: readonly PolicyName[];
  /** Why one of `policies` cannot work on this kernel. */
  readonly policyObstacle: (name: PolicyName) => string | undefined;
  /** Sets one of `policies`, or goes back to the one that the configuration names. */
  readonly setPolicy: (name: PolicyName | undefined, by: string) => Promise<Retune>;
  /** Reads the configuration again. */
  readonly reload: () => Promise<Reloaded>;
  /** Of the configuration in force; no file is read. */
  readonly entries: () => ConfigView['entries'];
  readonly configuration: () => Promise<ConfigView>;
  /** What was recorded since then, milliseconds since 1970, as HistoryStore.since() gives it. */
  readonly history: (sinceMillis: number) => HistoryPage;
  /** What the guests' processes show, by identity. */
  readonly guestDetails: () => Promise<ReadonlyMap<string, GuestDetails>>;
  /** The page of metrics for Prometheus. */
  readonly metrics: () => Promise<string>;
}

export interface Reloaded {
  /** Errors, or what was passed over; each with file:line. */
  readonly problems: readonly string[];
  /** The retune that applied it; undefined when it was not taken. */
  readonly retune: Retune | undefined;
}

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
