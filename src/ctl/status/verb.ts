import { formatBytes } from '../../core/format.js';
import { savingsOf } from '../../core/savings.js';
import { EXIT } from '../../errors.js';
import { libvirtIsHere } from '../../host/libvirtHere.js';
import { KsmDirectory } from '../../host/ksm.js';
import { pageSizeBytes } from '../../host/sysfs.js';
import { withDaemon } from '../../api/withDaemon.js';
import { NotRunning } from '../../api/notRunning.js';
import { toJson } from '../command.js';
import { merging, statusScreen } from './screen.js';
import { type Terminal, fold } from '../../text/terminal.js';
import { NOT_RUNNING_STATUS, type Verb } from '../verb.js';

export const status: Verb = {
  summary: 'is KSM merging, why, what it saves and costs',
  details:
    'Shows the state at the last retune. The exit status is 0 while samepaged runs. While it does not run it is 3, and the ' +
    "kernel's own state is shown. status.schema.json in /usr/share/doc/samepaged describes --json.",
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
      return { status: NOT_RUNNING_STATUS, output: withoutDaemon(error.message, json, terminal) };
    }
  },
};

/** What the kernel says by itself. */
function withoutDaemon(reason: string, json: boolean, terminal: Terminal): string {
  const directory = new KsmDirectory('');
  const ksm = directory.exists() ? directory.read() : undefined;
  if (json) return toJson({ running: false, reason, ksm: ksm ?? null, unknownKsmFiles: directory.unknownFiles() });
  if (ksm === undefined) return fold([`${reason}.`, 'This kernel has no KSM.'], terminal);
  const { run, pagesToScan, sleepMillisecs, pagesSharing } = ksm;
  const values = `run=${run}, pages_to_scan=${pagesToScan}, sleep_millisecs=${sleepMillisecs}, pages_sharing=${pagesSharing}`;
  const saved = formatBytes(savingsOf(ksm, pageSizeBytes('')).savedBytes);
  return fold([`${reason}.`, `The kernel by itself ${merging(run)}: ${values}`, `${saved} saved.`], terminal);
}
