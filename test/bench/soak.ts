/**
 * `npm run soak -- 30m`: real guests come and go on the real kernel under the built daemon, which runs as the service runs it
 * but for the sandbox. Ends with status 1 if its memory or its descriptors grew. Needs root.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findRivals } from '../../src/host/daemons.js';
import { DaemonProcess } from '../support/daemon.js';
import { resetKsm, restoreKsm, saveKsm } from '../support/kvm/ksm.js';
import { Lab } from '../support/kvm/lab.js';
import { SERVICE_NODE_FLAGS, wakeUps } from '../support/serviceProcess.js';
import { residentBytes } from './figures.js';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };
const TENTHS = 10;
/**
 * The least resident memory of a tenth may grow by this from the second tenth to the last. Garbage that Node has not collected yet
 * comes and goes within a tenth and is no growth; what samepaged keeps raises the least as well.
 */
const MOST_GROWTH = 0.05;
const MOST_GUESTS = 4;
const READ_EVERY_MILLIS = 2000;

interface Reading {
  readonly atMillis: number;
  readonly residentBytes: number;
  readonly descriptors: number;
  /** Voluntary context switches of all threads since its start. */
  readonly wakeUps: number;
  /** Guests started so far. */
  readonly guests: number;
  /** Decisions of the daemon so far. */
  readonly retunes: number;
}

interface Tenth {
  readonly leastResidentBytes: number;
  readonly mostResidentBytes: number;
  readonly fewestDescriptors: number;
  readonly mostDescriptors: number;
  readonly wakeUpsPerMinute: number;
  readonly last: Reading;
}

async function main([text = '30m']: readonly string[]): Promise<number> {
  const [, count, unit = ''] = /^(\d+)([smh])$/.exec(text) ?? [];
  const millis = Number(count) * (UNITS[unit] ?? NaN);
  if (!(millis > 0)) return refuse(`soak: ${text}: expected a time such as 30m`, 2);
  if (process.getuid?.() !== 0) return refuse('soak: it needs root', 2);
  const [rival] = await findRivals('', process.pid);
  if (rival !== undefined) return refuse(`soak: ${rival.name} (process ${rival.pid}) is tuning KSM: stop it first`, 2);
  const saved = await saveKsm();
  try {
    return judge(await soak(millis));
  } finally {
    await restoreKsm(saved);
  }
}

async function soak(millis: number): Promise<readonly Reading[]> {
  await resetKsm();
  await using lab = await Lab.start();
  const directory = lab.bus.directory;
  const config = join(directory, 'samepaged.conf');
  writeFileSync(config, 'PIDFILE=\nKSM_POLICY=adaptive\nKSM_WHEN=always\nDEBUG=1\n');
  const env = { STATE_DIRECTORY: join(directory, 'state') };
  await using daemon = DaemonProcess.start(['--bus', lab.address, '--config', config], env, {
    nodeFlags: SERVICE_NODE_FLAGS,
  });
  await daemon.line(/libvirt is connected/);
  const readings: Reading[] = [];
  const begin = performance.now();
  let guests = 0;
  const coming = comeAndGo(lab, begin + millis, () => (guests += 1));
  while (performance.now() < begin + millis) {
    await Promise.race([sleep(READ_EVERY_MILLIS), coming]);
    const retunes = daemon.lines.filter(({ reason }) => reason !== undefined).length;
    readings.push({ atMillis: performance.now() - begin, ...usageOf(daemon.pid), guests, retunes });
  }
  await coming;
  const status = await daemon.end();
  if (status !== 0) throw new Error(`samepaged ended with ${String(status)}:\n${daemon.output}`);
  return readings;
}

/** Up to four guests, of which always the oldest goes. */
async function comeAndGo(lab: Lab, endMillis: number, onStart: () => void): Promise<void> {
  const running: string[] = [];
  for (let number = 0; performance.now() < endMillis; number += 1) {
    const name = `soak${number}`;
    await lab.startGuest({ name, commonMiB: 64, ownMiB: 32 });
    running.push(name);
    onStart();
    if (running.length > MOST_GUESTS) await lab.destroyGuest(running.shift() ?? '');
    await sleep(1000);
  }
}

function usageOf(pid: number): Pick<Reading, 'residentBytes' | 'descriptors' | 'wakeUps'> {
  return {
    residentBytes: residentBytes(pid),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    wakeUps: wakeUps(pid),
  };
}

/** Prints a table, and says whether anything grew. */
function judge(readings: readonly Reading[]): number {
  const tenths = Array.from({ length: TENTHS }, (_, index) => tenthOf(readings, index));
  const [, early] = tenths;
  const late = tenths.at(-1);
  if (early === undefined || late === undefined) return refuse('soak: the time is too short for ten parts', 2);
  console.log(`Node ${process.version} ${SERVICE_NODE_FLAGS.join(' ')}, Linux ${release()}\n`);
  console.log('| after | resident | descriptors | wake-ups a minute | guests started | retunes |');
  console.log('| ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const tenth of tenths) {
    const { leastResidentBytes, mostResidentBytes, fewestDescriptors, mostDescriptors, wakeUpsPerMinute, last } = tenth;
    const resident = [leastResidentBytes, mostResidentBytes].map((bytes) => (bytes / 1e6).toFixed(1)).join(' to ');
    const cells = [
      ...[`${(last.atMillis / 60_000).toFixed(1)} min`, `${resident} MB`],
      ...[`${fewestDescriptors} to ${mostDescriptors}`, wakeUpsPerMinute.toFixed(0), last.guests, last.retunes],
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  const growth = late.leastResidentBytes / early.leastResidentBytes - 1;
  const moreDescriptors = late.fewestDescriptors - early.mostDescriptors;
  console.log(
    `\nleast resident memory after the first tenth: ${(growth * 100).toFixed(1)} % (at most ${MOST_GROWTH * 100} %)`,
  );
  console.log(`descriptors: ${moreDescriptors > 0 ? `${moreDescriptors} more` : 'no more'}`);
  return growth > MOST_GROWTH || moreDescriptors > 0 ? 1 : 0;
}

/** How far its values went. @throws Error where there are too few readings. */
function tenthOf(readings: readonly Reading[], index: number): Tenth {
  const [from, to] = [index, index + 1].map((part) => Math.floor((readings.length * part) / TENTHS));
  const own = readings.slice(from, to);
  const [first, last] = [own[0], own.at(-1)];
  if (first === undefined || last === undefined || own.length < 2) throw new Error('the time is too short');
  const descriptors = own.map((reading) => reading.descriptors);
  const resident = own.map((reading) => reading.residentBytes);
  return {
    leastResidentBytes: Math.min(...resident),
    mostResidentBytes: Math.max(...resident),
    fewestDescriptors: Math.min(...descriptors),
    mostDescriptors: Math.max(...descriptors),
    wakeUpsPerMinute: ((last.wakeUps - first.wakeUps) / (last.atMillis - first.atMillis)) * 60_000,
    last,
  };
}

function refuse(text: string, status: number): number {
  process.stderr.write(`${text}\n`);
  return status;
}

process.exitCode = await main(process.argv.slice(2));
