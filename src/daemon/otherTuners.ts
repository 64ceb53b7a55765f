import { EXIT, FatalError } from '../errors.js';
import { type RunningDaemon, excludesOthers, findDaemons } from '../host/daemons.js';
import { RIVALS, TUNERS, hasUksm, readBootWrites } from '../host/rivals.js';
import { isOurAlias, readEnabledServices } from '../host/services.js';
import type { Root } from '../host/sysfs.js';
import type { Log } from '../log.js';
import { inSentence } from '../text/shellWord.js';

// What a start makes of other programs that set KSM.

/** Those that run, but for this process. */
export async function otherTuners(root: Root, log: Log): Promise<readonly RunningDaemon[]> {
  const found = await findDaemons(root, TUNERS, (what) => {
    log.warn(`${what}: samepaged cannot see whether this process tunes KSM too`);
  });
  return found.filter(({ pid }) => pid !== process.pid);
}

/** @throws FatalError where one runs beside which samepaged does not start. */
export function refuseRivals(root: Root, others: readonly RunningDaemon[]): void {
  for (const { name, pid } of others.filter(excludesOthers)) {
    const stop = isOurAlias(root, 'ksmtuned.service')
      ? `kill ${pid}, and remove what starts it; ksmtuned.service is samepaged's own name here`
      : 'systemctl disable --now ksmtuned';
    const remedy = name === 'ksmtuned' ? `stop it first: ${stop}` : 'there can be only one';
    throw new FatalError(`${name} is running, pid ${pid}, and tunes the same KSM: ${remedy}`, EXIT.tempFail);
  }
}

/** Warns of other programs that set KSM, now or at the next boot. */
export function warnOfOthers(root: Root, running: readonly RunningDaemon[], log: Log): void {
  const enabled = readEnabledServices(root);
  for (const { processes, services, remedy } of RIVALS) {
    for (const service of services) {
      if (enabled?.has(service) !== true) continue;
      const command = remedy === undefined ? `systemctl disable --now ${service}` : inSentence(remedy);
      log.warn(`${service} is enabled and would fight samepaged at the next boot: ${command}`);
    }
    for (const { name, pid } of running.filter((daemon) => processes.includes(daemon.name))) {
      log.warn(`${name} (pid ${pid}) may set KSM as well${remedy === undefined ? '' : `: ${inSentence(remedy)}`}`);
    }
  }
  for (const { place, remedy } of readBootWrites(root)) {
    log.warn(`${place} sets KSM at the next boot: ${inSentence(remedy)}`);
  }
  if (hasUksm(root)) log.warn('this kernel has UKSM, which merges by itself: echo 0 > /sys/kernel/mm/uksm/run');
}
