// What the tests of samepagectl begin from: a daemon that merges and a terminal of 80 columns.
import type { DaemonProperties, RetuneReply } from '../../../src/api/replies.js';
import type { Terminal } from '../../../src/text/terminal.js';
import { OPTIONS, type OptionName, type VerbInput } from '../../../src/ctl/verb.js';

export const NOW = 1_700_000_000_000;
export const MIB = 1024 ** 2;
export const GIB = 1024 ** 3;

export const PLAIN: Terminal = { columns: 80, colour: false, unicode: true, interactive: false };

export const REPLY: RetuneReply = {
  triggers: ['guest web started'],
  policy: 'ksmtuned',
  reason: 'committed-above-total',
  sentence:
    'guests use 19.5 GiB + 4.7 GiB reserve > 23.5 GiB: merging; free 3.1 GiB < 4.7 GiB: faster by 300 (364 pages every 10 ms)',
  changes: ['pages_to_scan 100 -> 364', 'run 0 -> 1'],
  problems: [],
  realtimeUSec: (NOW - 42_000) * 1000,
};

export const PROPERTIES: DaemonProperties = {
  version: '1.2.3',
  dryRun: false,
  policy: 'ksmtuned',
  configuredPolicy: 'ksmtuned',
  policies: ['ksmtuned', 'adaptive', 'advisor'],
  run: 1,
  pagesToScan: 364,
  sleepMillisecs: 10,
  savedBytes: 3 * GIB,
  sharedBytes: 3 * GIB,
  zeroBytes: 0,
  freedBytes: 0,
  beingFreedBytes: 0,
  sharingRatio: 9.62,
  ksmdCpuPercent: 38.4,
  bookkeepingBytes: 70 * MIB,
  profitBytes: 3 * GIB - 70 * MIB,
  availableBytes: 5 * GIB,
  guestCount: 13,
  guestMemoryBytes: 19.5 * GIB,
  libvirtConnected: true,
  hold: '',
  holdUntilUSec: 0,
  lastRetune: REPLY,
  nextLookUSec: (NOW + 18_000) * 1000,
};

/** A command line with nothing on it but what is given. */
export function inputOf(parts: Partial<VerbInput> = {}): VerbInput {
  const options = Object.fromEntries(
    (Object.keys(OPTIONS) as OptionName[]).map((name) => [name, OPTIONS[name].default]),
  ) as Pick<VerbInput, OptionName>;
  return { ...options, words: [], terminal: PLAIN, progress: () => undefined, notice: () => undefined, ...parts };
}
