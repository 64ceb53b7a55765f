import type { RunningDaemon } from '../../host/daemons.js';
import { RIVALS } from '../../host/rivals.js';
import { wantsLibvirt } from '../wantsLibvirt.js';
import { type Check, check, note, ok, problem, unanswered, valueOf } from '../check.js';

const configuration = check({
  id: 'configuration',
  title: 'Configuration',
  why: 'samepaged does not start on a configuration with errors, and keeps the running one at a reload.',
  needs: ['configuration'],
  judge: ({ configuration: { file, present, errors, warnings, values } }) => {
    const policy = values.KSM_POLICY;
    const [error] = errors;
    if (error !== undefined) return problem(`${error}${more(errors)}`, 'samepaged --print-config');
    const [warning] = warnings;
    if (warning !== undefined) return note(`${warning}${more(warnings)}`, 'samepaged --print-config');
    return ok(present ? `${file}, policy ${policy}` : `no ${file}: defaults, policy ${policy}`);
  },
});

function more(messages: readonly string[]): string {
  return messages.length > 1 ? ` (and ${messages.length - 1} more)` : '';
}

const daemon = check({
  id: 'daemon',
  title: 'samepaged',
  why: 'Without samepaged, or another tuner, KSM stays as it is however memory and guests change.',
  needs: [],
  judge: (_values, facts) => {
    const { daemon: fact, tuners } = facts;
    const properties = valueOf(fact);
    if (properties !== undefined) {
      const { version, policy, dryRun, libvirtConnected, hold, lastRetune } = properties;
      const who = `samepaged ${version} runs, policy ${policy}`;
      if (lastRetune.failure !== undefined)
        return problem(`${who}; its last retune failed: ${lastRetune.failure}`, LOG);
      if (dryRun) return note(`${who}, as a dry run: it sets nothing`, START);
      if (hold !== '') return note(`${who}, but is held: ${hold} by hand`, 'samepagectl resume');
      if (libvirtConnected) return ok(`${who}, with libvirt`);
      return wantsLibvirt(facts)
        ? note(`${who}, without libvirt: guests are found in /proc`, LOG)
        : ok(`${who}; guests are found in /proc`);
    }
    if (tuners.state === 'unknown') return unanswered(tuners.reason);
    const running = valueOf(tuners) ?? [];
    const silent = running.find(({ name }) => name === 'samepaged');
    if (silent !== undefined) {
      const who = `samepaged runs (pid ${silent.pid})`;
      return fact.state === 'unknown' ? ok(`${who}; ${fact.reason}`) : note(`${who}, but is not on this bus`, LOG);
    }
    const [other] = running;
    return other === undefined
      ? note('samepaged does not run, and nothing else tunes KSM', START)
      : note(
          `samepaged does not run; ${other.name} does (pid ${other.pid})`,
          `# once ${other.name} is stopped:`,
          START,
        );
  },
});

const START = 'systemctl enable --now samepaged';
const BEFORE_START = '# before samepaged is started:';
const LOG = 'journalctl -u samepaged -n 50';

const otherTuners = check({
  id: 'other-tuners',
  title: 'Other tuners',
  why:
    "A kernel has one KSM. Two tuners undo each other's work, and samepaged does not start beside " +
    'ksmtuned or another samepaged.',
  needs: ['tuners'],
  judge: ({ tuners }, { ksmtunedIsAlias }) => {
    const isAlias = valueOf(ksmtunedIsAlias) === true;
    const others = tuners.filter(({ name }) => name !== 'samepaged');
    if (others.length === 0) return ok('no other tuner of KSM runs');
    const names = tuners.map(({ name, pid }) => `${name} (pid ${pid})`).join(' and ');
    return tuners.length > 1
      ? problem(`${names} tune the same KSM`, ...stop(others, isAlias))
      : note(`${names} tunes KSM`, BEFORE_START, ...stop(others, isAlias));
  },
});

/** @param isAlias whether ksmtuned.service is samepaged's own name, so that disabling it would disable samepaged. */
function stop(tuners: readonly RunningDaemon[], isAlias: boolean): readonly string[] {
  const names = new Set(tuners.map(({ name }) => name));
  const rivals = RIVALS.filter(({ processes }) => processes.some((process) => names.has(process)));
  return rivals.map(({ remedy, services, processes }) => {
    if (remedy !== undefined) return remedy;
    if (!isAlias || !processes.includes('ksmtuned')) {
      // Each by itself: systemctl may do nothing at all where one of several is not there.
      return services.map((name) => disable([name])).join('; ');
    }
    const pids = tuners.filter(({ name }) => processes.includes(name)).map(({ pid }) => pid);
    return `kill ${pids.join(' ')}   # and remove what starts it: ksmtuned.service is samepaged's own name here`;
  });
}

function disable(services: readonly string[]): string {
  return `systemctl disable --now ${services.map((name) => name.replace('.service', '')).join(' ')}`;
}

const services = check({
  id: 'ksm-services',
  title: 'Services at boot',
  why:
    'ksm.service sets KSM at boot and when it stops, ksmtuned every minute. samepaged does the work of both, and beside ' +
    'samepaged they change what it has set.',
  needs: ['enabledServices', 'bootWrites'],
  judge: ({ enabledServices, bootWrites }, { tuners }) => {
    const isEnabled = (name: string) => enabledServices.has(name);
    const enabled = RIVALS.filter(({ services: names }) => names.some(isEnabled));
    const names = enabled.flatMap(({ services: all }) => all.filter(isEnabled));
    const plain = enabled
      .filter(({ remedy }) => remedy === undefined)
      .flatMap(({ services: all }) => all.filter(isEnabled));
    const found = [
      ...(names.length === 0 ? [] : [`${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} enabled`]),
      ...bootWrites.map(({ place }) => `${place} sets KSM`),
    ];
    if (found.length === 0) return ok('no other service for KSM is enabled');
    const remedies = [
      ...(plain.length === 0 ? [] : [disable(plain)]),
      ...enabled.flatMap(({ remedy }) => remedy ?? []),
      ...bootWrites.map(({ remedy }) => remedy),
    ];
    const runs = valueOf(tuners)?.some(({ name }) => name === 'samepaged') === true;
    return runs || isEnabled('samepaged.service')
      ? problem(`${found.join('; ')} beside samepaged`, ...remedies)
      : note(found.join('; '), BEFORE_START, ...remedies);
  },
});

/**
 * samepaged switches the advisor off before it merges, and leaves it alone while ksmd rests; ksmtuned does not know it.
 * Switching the advisor off sets pages_to_scan to 100, its value at boot (mm/ksm.c,
 * set_advisor_defaults).
 */
const ADVISOR_OFF = 'echo none > /sys/kernel/mm/ksm/advisor_mode   # pages_to_scan becomes 100';

const advisor = check({
  id: 'advisor',
  title: "Kernel's own advisor",
  why: "While the kernel's advisor is on, it sets pages_to_scan, and the kernel refuses any other value (EINVAL).",
  needs: ['ksm', 'tuners'],
  judge: ({ ksm: { advisorMode, run }, tuners }, { daemon: told, configuration: configured }) => {
    if (advisorMode === undefined) return ok('this kernel has none (Linux 6.8 brought it)');
    if (advisorMode === 'none') return ok('off');
    const [tuner] = tuners;
    if (run !== 1 && tuner?.name !== 'ksmtuned') return ok('on (scan-time), without effect while ksmd rests');
    if (tuner === undefined) {
      return note('on (scan-time); nothing that runs here set it: a person, tmpfiles.d or udev did', ADVISOR_OFF);
    }
    const policy =
      tuner.name === 'samepaged' ? (valueOf(told)?.policy ?? valueOf(configured)?.values.KSM_POLICY) : undefined;
    if (policy === 'advisor') return ok("on (scan-time), and samepaged's (KSM_POLICY=advisor)");
    const who = `${tuner.name} (pid ${tuner.pid})${policy === undefined ? '' : `, policy ${policy},`}`;
    return problem(`on (scan-time) while ${who} runs too and cannot set pages_to_scan`, ADVISOR_OFF);
  },
});

export const TUNER_CHECKS: readonly Check[] = [configuration, daemon, otherTuners, services, advisor];
