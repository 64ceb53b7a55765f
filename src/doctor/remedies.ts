import { DEFAULT_CONFIG_FILE } from '../config/load.js';
import { unmergeObstacle } from '../core/hold.js';
import type { KsmState } from '../core/ksm.js';
import { savingsOf } from '../core/savings.js';
import { valueOf } from './check.js';
import type { Facts } from './facts.js';

/** Whether samepaged runs, as the bus or /proc tells; false where neither does. */
export function daemonRuns({ daemon, tuners }: Facts): boolean {
  return valueOf(daemon) !== undefined || valueOf(tuners)?.some(({ name }) => name === 'samepaged') === true;
}

/** What samepaged reads, or would. */
export function configFileOf({ daemon }: Pick<Facts, 'daemon'>): string {
  return valueOf(daemon)?.configFile ?? DEFAULT_CONFIG_FILE;
}

/** What puts a line of the configuration in force. */
export function reconfigure({ daemon }: Facts, key: string, apply = RELOAD): readonly string[] {
  return [`# ${key} in ${configFileOf({ daemon })}, and then:`, apply];
}

const RELOAD = 'systemctl reload samepaged';

/** The commands for a setting: by `key`, its line in the configuration, where samepaged runs, else by `command`. */
export function change(facts: Facts, key: string, command: string): readonly string[] {
  return daemonRuns(facts) ? reconfigure(facts, key) : [command];
}

/**
 * The commands for a setting which the kernel takes only while no page is shared (EBUSY otherwise).
 *
 * @param key its line in the configuration, for a host with samepaged.
 * @param command what sets it on a host without.
 */
export function changeUnshared(ksm: KsmState, facts: Facts, key: string, command: string): readonly string[] {
  const shared = ksm.pagesShared > 0;
  if (!shared) return change(facts, key, command);
  if (daemonRuns(facts)) return reconfigure(facts, key, `samepagectl unmerge && ${RELOAD} && samepagectl resume`);
  return [...unmerge(ksm, facts), command, ...(ksm.run === 1 ? [setKsm('run', 1)] : [])];
}

/** The command that unmerges everything. Without samepaged there is no guard, so it is named only where it fits. */
export function unmerge(ksm: KsmState, facts: Facts): readonly string[] {
  if (daemonRuns(facts)) return ['samepagectl unmerge'];
  const [memory, pageSize] = [valueOf(facts.memory), valueOf(facts.pageSize)];
  const fits =
    memory !== undefined &&
    pageSize !== undefined &&
    unmergeObstacle(savingsOf(ksm, pageSize.bytes), memory) === undefined;
  return fits ? [setKsm('run', 2)] : ['# when there is memory for it (see Room to split):', setKsm('run', 2)];
}

export function setKsm(file: string, value: number | string): string {
  return `echo ${value} > /sys/kernel/mm/ksm/${file}`;
}
