import type { FirstLook } from './agent.js';
import { type BusAddress, describeAddress } from './bus/connection.js';
import { BUS_NAME } from './bus/manager.js';
import { formatBytes, plural } from './core/format.js';
import { savedBytes } from './core/ksm.js';
import { residentBytesOf } from './core/guest.js';
import { libvirtText } from './news.js';

/** What was found at start, for a person in front of a terminal: one screen, each line with what it would need. */
export function overview(look: FirstLook, setup: { busAddress: BusAddress; dryRun: string | undefined }): string {
  const { state, bus, libvirt } = look;
  const retune = state.lastRetune;
  const rows: [string, string][] = [];
  if (retune !== undefined && 'sample' in retune) {
    const { sample, decision } = retune;
    const { ksm, guests, memory, pageSizeBytes } = sample;
    const saved = formatBytes(savedBytes(ksm, pageSizeBytes));
    rows.push(
      [
        'memory',
        `${formatBytes(memory.totalBytes)}, ${formatBytes(memory.freeBytes)} free, pages of ${formatBytes(pageSizeBytes)}`,
      ],
      [
        'KSM',
        `run=${ksm.run}, pages_to_scan=${ksm.pagesToScan}, sleep_millisecs=${ksm.sleepMillisecs}, ${saved} saved`,
      ],
      [
        'guests',
        guests.length === 0
          ? 'none: nothing to merge until one starts'
          : `${plural(guests.length, 'guest')} with ${formatBytes(residentBytesOf(guests))} in memory`,
      ],
      ['decision', decision.sentence],
    );
  } else if (retune !== undefined) {
    rows.push(['decision', `none: ${retune.failure.message}`]);
  }
  const published =
    bus.bus === undefined
      ? `no: ${bus.reason}`
      : (bus.unpublished ?? `${BUS_NAME} is on ${describeAddress(setup.busAddress)}`);
  rows.push(
    [
      'libvirt',
      libvirt.up || libvirt.remedy === undefined ? libvirtText(libvirt) : `no: ${libvirt.reason}; ${libvirt.remedy}`,
    ],
    ['D-Bus', published],
    [
      'writing',
      setup.dryRun === undefined
        ? 'yes; what is changed is put back at the end (KSM_ON_EXIT)'
        : `no, ${setup.dryRun}: it is only said what would be set`,
    ],
  );
  const lines = rows.map(([topic, text]) => `  ${topic.padEnd(9)} ${text}`);
  return [`samepaged ${state.version}, policy ${state.policy}`, ...lines, '  Watching. Ctrl-C ends it.', ''].join('\n');
}
