import type { FirstRetune } from './agent.js';
import type { BusAddress } from '../dbus/address.js';
import { formatBytes, plural } from '../core/format.js';
import { residentBytesOf } from '../core/guest.js';
import { savingsOf } from '../core/savings.js';
import { wrap } from '../text/wrap.js';
import { busText, libvirtText } from './journal.js';

const TOPIC_WIDTH = 10;
const LEAST_WIDTH = 20;

/** What was found at start, for a person at a terminal `columns` wide: one screen, and what is missing with its remedy. */
export function overview(
  { state, bus, libvirt }: FirstRetune,
  { busAddress, dryRun, columns }: { busAddress: BusAddress; dryRun: string | undefined; columns: number },
): string {
  const retune = state.lastRetune;
  const rows: [string, string][] = [];
  if (retune !== undefined && 'sample' in retune) {
    const { ksm, guests, memory, pageSizeBytes } = retune.sample;
    const saved = formatBytes(savingsOf(ksm, pageSizeBytes).savedBytes);
    const resident = formatBytes(residentBytesOf(guests));
    rows.push(
      ['memory', `${formatBytes(memory.totalBytes)}, ${formatBytes(memory.freeBytes)} free`],
      [
        'KSM',
        `run=${ksm.run}, pages_to_scan=${ksm.pagesToScan}, sleep_millisecs=${ksm.sleepMillisecs} at the start; ${saved} saved`,
      ],
      [
        'guests',
        guests.length === 0
          ? 'none: there is nothing to merge until one starts'
          : `${plural(guests.length, 'guest')}, ${resident} in memory`,
      ],
      ['decision', retune.decision.sentence],
    );
  } else if (retune !== undefined) {
    rows.push(['decision', `none: ${retune.failure.message}`]);
  }
  const remedy = libvirt.up || libvirt.remedy === undefined ? '' : `; to fix it, ${libvirt.remedy}`;
  rows.push(
    ['libvirt', libvirt.up ? libvirtText(libvirt) : `${libvirtText(libvirt)}: guests are found in /proc${remedy}`],
    ['D-Bus', `${busText(bus, busAddress)}${bus.bus === undefined ? '; start one, or name another with --bus' : ''}`],
    [
      'writing',
      dryRun === undefined ? 'yes; changed settings are restored at the end (KSM_ON_EXIT)' : `no, a dry run: ${dryRun}`,
    ],
  );
  return [
    `samepaged ${state.version}, policy ${state.policy}`,
    ...rows.map(([topic, text]) => `  ${topic.padEnd(TOPIC_WIDTH)}${beside(text, columns)}`),
    '  samepaged waits for events now. Ctrl-C ends it.',
    '',
  ].join('\n');
}

/** What goes on in further lines is below itself. */
function beside(text: string, columns: number): string {
  const indent = TOPIC_WIDTH + 2;
  return wrap(text, Math.max(columns - indent, LEAST_WIDTH)).join(`\n${' '.repeat(indent)}`);
}
