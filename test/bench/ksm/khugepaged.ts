import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { savingsOf } from '../../../src/core/savings.js';
import { KsmDirectory } from '../../../src/host/ksm.js';
import { pageSizeBytes } from '../../../src/host/sysfs.js';
import type { BootedGuest } from '../../support/kvm/bootedGuest.js';
import { restoreKsm, saveKsm } from '../../support/kvm/ksm.js';
import { Lab } from '../../support/kvm/lab.js';
import { readHostMemory } from './hostMemory.js';
import { SinglePasses } from './singlePass.js';
import { startSamepaged } from './startTuner.js';

/**
 * `node dist/test/bench/ksm/khugepaged.js`: whether khugepaged takes back what merging empty pages gave. Some four minutes,
 * in which it may visit as much as with its defaults (4096 pages each 10 s) in a day and a half.
 */

const DIRECTORY = '/sys/kernel/mm/transparent_hugepage/khugepaged';
const PACE = { scan_sleep_millisecs: 100, pages_to_scan: 32_768 };
const GUESTS = ['huge1', 'huge2', 'huge3'];
const CONTENT = { commonMiB: 64, ownMiB: 32, zeroMiB: 256, rewrittenMiBPerSecond: 0 };
const SETTLE_MILLIS = 3000;
const PHASE_MILLIS = 40_000;
const READ_EACH_MILLIS = 1000;
const MIB = 1024 ** 2;
/** Memory is plenty here, so that samepaged merges nothing meanwhile. */
const SAMEPAGED = { policy: 'adaptive', settings: { KSM_THP_MAX_PTES_NONE: 0 } } as const;
const COLUMNS = ['max_ptes_none', 'available', 'RssAnon', 'huge', 'KSM saved', 'collapsed', 'full scans'];

function read(file: string): number {
  return Number(readFileSync(`${DIRECTORY}/${file}`, 'utf8'));
}

function write(settings: Readonly<Record<string, number>>): void {
  for (const [file, value] of Object.entries(settings)) writeFileSync(`${DIRECTORY}/${file}`, String(value));
}

/** Its setting, memory in MiB, then what khugepaged has done since boot: huge pages that it made, and rounds over all memory. */
function print(label: string): void {
  const { availableBytes, guestsAnonBytes, hugeBytes } = readHostMemory();
  const { savedBytes } = savingsOf(new KsmDirectory('').read(), pageSizeBytes(''));
  const mebibytes = [availableBytes, guestsAnonBytes, hugeBytes, savedBytes].map((bytes) => (bytes / MIB).toFixed(0));
  const cells = [
    String(read('max_ptes_none')),
    ...mebibytes,
    String(read('pages_collapsed')),
    String(read('full_scans')),
  ];
  process.stdout.write(`${label.padEnd(58)} ${cells.map((cell) => cell.padStart(13)).join(' ')}\n`);
}

async function start(lab: Lab): Promise<BootedGuest[]> {
  const guests = await Promise.all(GUESTS.map((name) => lab.startBootedGuest({ name, content: CONTENT })));
  await Promise.all(guests.map((guest) => guest.ready));
  await sleep(SETTLE_MILLIS);
  return guests;
}

/** KSM is restored, and the laboratory ends, at exit. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const found = Object.fromEntries([...Object.keys(PACE), 'max_ptes_none'].map((file) => [file, read(file)]));
process.once('exit', () => {
  write(found);
});
const saved = await saveKsm();
const lab = await Lab.start();
try {
  process.stdout.write(`khugepaged found with ${JSON.stringify(found)}, set to ${JSON.stringify(PACE)}\n`);
  process.stdout.write(`${' '.repeat(58)} ${COLUMNS.map((title) => title.padStart(13)).join(' ')}\n`);
  const guests = await start(lab);
  print('guests are ready');
  const ksmd = new SinglePasses();
  await ksmd.reset({ smartScan: 0, useZeroPages: 1 });
  await ksmd.passes(4);
  await ksmd.set({ run: 0 });
  print('four passes of ksmd, use_zero_pages=1');
  write(PACE);
  await sleep(PHASE_MILLIS);
  print('guests idle');
  const readUntil = performance.now() + PHASE_MILLIS;
  while (performance.now() < readUntil) {
    await Promise.all(guests.map((guest) => guest.read()));
    await sleep(READ_EACH_MILLIS);
  }
  print('guests read all their memory again and again');
  const samepaged = await startSamepaged(SAMEPAGED, { lab, reserve: {}, cpuMaxPercent: 70, logFile: undefined });
  await Promise.all(guests.map((guest) => guest.sprinkle()));
  await sleep(PHASE_MILLIS);
  print('guests wrote to one page of each 2 MiB, under samepaged');
  await samepaged.stop();
  await Promise.all(guests.map((guest) => guest.sprinkle()));
  await sleep(PHASE_MILLIS);
  print('once more, after samepaged has ended');
  write(found);
  await ksmd.set({ run: 1 });
  await ksmd.passes(4);
  print('four more passes of ksmd');
} finally {
  await lab.stop();
  await restoreKsm(saved);
}
