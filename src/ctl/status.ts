import { formatBytes, plural } from '../core/format.js';
import { KsmDirectory } from '../host/ksm.js';
import { Daemon, type DaemonProperties, NotRunning } from './client.js';
import type { Verb } from './verb.js';

/** As `systemctl status`: 3 when the service does not run. */
const NOT_RUNNING_STATUS = 3;

export const status: Verb = {
  summary: 'is KSM merging, why, and what does it save',
  options: ['bus', 'json'],
  async run({ bus, json }) {
    try {
      const properties = await Daemon.with(bus, (daemon) => daemon.properties());
      return { status: 0, output: json ? toJson({ running: true, ...properties }) : text(properties) };
    } catch (error) {
      if (!(error instanceof NotRunning)) throw error;
      return { status: NOT_RUNNING_STATUS, output: withoutDaemon(error.message, json) };
    }
  },
};

/** What the kernel says by itself. */
function withoutDaemon(reason: string, json: boolean): string {
  const directory = new KsmDirectory('');
  const ksm = directory.exists() ? directory.read() : undefined;
  if (json) return toJson({ running: false, reason, ksm });
  if (ksm === undefined) return `${reason}.\nThis kernel has no KSM.`;
  const { run, pagesToScan, sleepMillisecs, pagesSharing } = ksm;
  const values = `run=${run}, pages_to_scan=${pagesToScan}, sleep_millisecs=${sleepMillisecs}, pages_sharing=${pagesSharing}`;
  return `${reason}.\nThe kernel by itself ${merging(run)}: ${values}`;
}

function text(properties: DaemonProperties): string {
  const { run, pagesToScan, sleepMillisecs, libvirtConnected, lastRetune } = properties;
  const pace = run === 1 ? `${pagesToScan} pages every ${sleepMillisecs} ms` : 'ksmd rests';
  const source = libvirtConnected ? 'from libvirt' : 'from /proc (libvirt is not connected)';
  const dryRun = properties.dryRun ? ', dry run: nothing is written' : '';
  const rows = [
    ['why', lastRetune.sentence ?? lastRetune.failure ?? 'no decision yet'],
    ['saved', formatBytes(properties.savedBytes)],
    ['pace', pace],
    ['guests', `${plural(properties.guestCount, 'guest')}, ${source}`],
    ['last look', lastLook(lastRetune)],
    ['policy', `${properties.policy}, samepaged ${properties.version}${dryRun}`],
  ] as const;
  return [`KSM ${merging(run)}`, ...rows.map(([name, value]) => `  ${name.padEnd(10)} ${value}`)].join('\n');
}

function lastLook({ realtimeUSec, triggers }: DaemonProperties['lastRetune']): string {
  if (realtimeUSec === undefined) return 'never';
  const seconds = Math.round((Date.now() - realtimeUSec / 1000) / 1000);
  const shown = triggers.slice(0, 3).join(', ');
  return `${seconds} s ago: ${shown}${triggers.length > 3 ? ` and ${triggers.length - 3} more` : ''}`;
}

function merging(run: number): string {
  if (run === 1) return 'is merging';
  return run === 2 ? 'is off and everything is unmerged' : 'is not merging';
}

function toJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}
