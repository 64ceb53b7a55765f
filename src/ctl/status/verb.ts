import { EXIT } from '../../errors.js';
import { findDaemons } from '../../host/daemons.js';
import { libvirtIsHere } from '../../host/libvirtHere.js';
import { KsmDirectory } from '../../host/ksm.js';
import { pageSizeBytes } from '../../host/sysfs.js';
import { withDaemon } from '../../api/withDaemon.js';
import { NotRunning } from '../../api/notRunning.js';
import { toJson } from '../command.js';
import { statusScreen } from './screen.js';
import { reasonOf, unansweredLines } from './unanswered.js';
import { type Terminal, fold } from '../../text/terminal.js';
import { NOT_RUNNING_STATUS, type Verb } from '../verb.js';

export const status: Verb = {
  summary: 'is KSM merging, why, what it saves and costs',
  details:
    'Shows the state at the last retune. The exit status is 0 while samepaged runs. While it does not run or cannot be asked ' +
    "it is 3, and the kernel's own state is shown. status.schema.json in /usr/share/doc/samepaged describes --json.",
  options: ['bus', 'json'],
  examples: [
    { command: 'samepagectl status', does: 'one screen' },
    { command: 'samepagectl status --json', does: 'the same for programs' },
  ],
  async run({ bus, json, terminal }) {
    try {
      const properties = await withDaemon(bus, (daemon) => daemon.properties());
      const output = json
        ? toJson({ running: true, ...properties, unknownKsmFiles: new KsmDirectory('').unknownFiles() })
        : statusScreen(properties, Date.now(), terminal, libvirtIsHere(''));
      return { status: EXIT.ok, output };
    } catch (error) {
      if (!(error instanceof NotRunning)) throw error;
      const [silent] = await findDaemons('', ['samepaged']).catch(() => []);
      return { status: NOT_RUNNING_STATUS, output: withoutDaemon(error.message, silent?.pid, json, terminal) };
    }
  },
};

function withoutDaemon(why: string, pid: number | undefined, json: boolean, terminal: Terminal): string {
  const directory = new KsmDirectory('');
  const absence = directory.absence();
  const ksm = absence === undefined ? directory.read() : { absence };
  if (!json) return fold(unansweredLines({ why, pid, ksm, pageSizeBytes: pageSizeBytes('') }), terminal);
  return toJson({
    ...{ running: false, reason: reasonOf({ why, pid }) },
    ...(pid === undefined ? {} : { silentPid: pid }),
    ksm: 'absence' in ksm ? null : ksm,
    unknownKsmFiles: directory.unknownFiles(),
  });
}
