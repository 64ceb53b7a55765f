import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Ksmd } from '../../../src/host/ksmd.js';
import { KsmDirectory } from '../../../src/host/ksm.js';
import { eventually } from '../../support/daemon.js';
import type { BootedGuest } from '../../support/kvm/bootedGuest.js';
import type { Lab } from '../../support/kvm/lab.js';
import { quantile } from '../figures.js';
import type { KsmControl } from './ksmControl.js';
import type { BenchOptions } from './options.js';
import type { Progress } from './progress.js';
import { startTuner } from './startTuner.js';

/** The scenario co-runner: what guests and processes feel of a burst, by ksmd's scheduling class. */

const execFileAsync = promisify(execFile);
const SOURCE = 'test/bench/ksm/coRunner.c';
const AUTOGROUP = '/proc/sys/kernel/sched_autogroup_enabled';
const DEFAULT_SECONDS = 8;
const CLASSES = ['other', 'idle'] as const;
/** Between two requests to the guest. */
const REQUEST_MILLIS = 20;
const KILO = 1000;

export interface CoRunnerTheatre {
  readonly lab: Lab;
  readonly ksm: KsmControl;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

interface Ksmtuning {
  readonly sched: (typeof CLASSES)[number];
  readonly cpuMaxPercent: number;
  readonly logFile: string | undefined;
}

/** Percentiles in milliseconds. */
interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

interface Felt {
  readonly work: number;
  readonly wakeUps: Latency;
  readonly answers: Latency;
  readonly ksmdPercent: number;
}

/** Plays it, and prints the table as it grows. Autogroups are off meanwhile: with them ksmd hardly runs beside processes of a session. */
export async function coRunner(
  theatre: CoRunnerTheatre,
  { sizes, forMillis, cpuMaxPercent, logFile }: BenchOptions,
): Promise<void> {
  const { lab, progress } = theatre;
  const program = join(lab.bus.directory, 'coRunner');
  await execFileAsync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-pthread', '-o', program, SOURCE]);
  progress.stage('co-runner: guests are coming up');
  const content = { commonMiB: sizes.commonMiB, ownMiB: sizes.ownMiB, rewrittenMiBPerSecond: 0 };
  const small = { commonMiB: 1, ownMiB: 1, rewrittenMiBPerSecond: 0 };
  const names = Array.from({ length: sizes.guests }, (_, index) => `co-runner-${index}`);
  const starting = names.map((name) => lab.startBootedGuest({ name, content }));
  const answering = await lab.startBootedGuest({ name: 'answering', content: small });
  const guests = [...(await Promise.all(starting)), answering];
  await Promise.all(guests.map(({ ready }) => ready));

  const seconds = forMillis === undefined ? DEFAULT_SECONDS : Math.round(forMillis / KILO);
  const trials: (Ksmtuning | undefined)[] = [
    undefined,
    ...CLASSES.map((sched) => ({ sched, cpuMaxPercent, logFile })),
    undefined,
  ];
  process.stdout.write(`${HEADER.join('\n')}\n`);
  const autogroup = readIfThere(AUTOGROUP);
  try {
    if (autogroup !== undefined) writeFileSync(AUTOGROUP, '0');
    for (const isBusy of [false, true]) {
      let off: Felt | undefined;
      for (const [index, tuning] of trials.entries()) {
        progress.stage(`co-runner [${index + 1}/${trials.length}]: ${isBusy ? 'busy' : 'quiet'}, ${nameOf(tuning)}`);
        const felt = await feel(theatre, { program, seconds, isBusy, answering, tuning });
        off ??= felt;
        progress.clear();
        process.stdout.write(`${rowOf(isBusy, tuning, felt, off)}\n`);
      }
    }
  } finally {
    if (autogroup !== undefined) writeFileSync(AUTOGROUP, autogroup);
  }
  process.stdout.write('\n');
}

interface Trial {
  readonly program: string;
  readonly seconds: number;
  readonly isBusy: boolean;
  readonly answering: BootedGuest;
  /** undefined: KSM is off. */
  readonly tuning: Ksmtuning | undefined;
}

async function feel(theatre: CoRunnerTheatre, { program, seconds, isBusy, answering, tuning }: Trial): Promise<Felt> {
  const { ksm, signal } = theatre;
  await ksm.fresh();
  const tuner = tuning === undefined ? undefined : await startBurst(theatre, tuning);
  try {
    const ksmd = new Ksmd('');
    const cpuNanos = () => ksmd.times()?.cpuNanos ?? 0;
    const [before, begin] = [cpuNanos(), performance.now()];
    const over = new AbortController();
    const neighbour = execFileAsync(program, [String(seconds), isBusy ? '1' : '0'], { signal });
    const answers = answersUntil(answering, over.signal);
    const { stdout } = await neighbour.finally(() => {
      over.abort();
    });
    const { work, p50, p99, p999 } = JSON.parse(stdout) as Latency & { work: number };
    const ksmdPercent = (cpuNanos() - before) / (performance.now() - begin) / 1e4;
    return { work, wakeUps: { p50, p99, p999 }, answers: await answers, ksmdPercent };
  } finally {
    await tuner?.stop();
  }
}

/** samepaged, when its burst has begun. */
async function startBurst({ lab, ksm }: CoRunnerTheatre, { sched, ...options }: Ksmtuning) {
  const settings = { KSM_WHEN: 'always', KSM_KSMD_SCHED: sched };
  const tuner = { kind: 'samepaged', policy: 'adaptive', settings, summary: '' } as const;
  const running = await startTuner(tuner, { ...options, lab, ksm, reserve: {} });
  const directory = new KsmDirectory('');
  await eventually(() => directory.read().run === 1 || undefined);
  return running;
}

/** How long the guest takes to read its memory and say so, again and again. */
async function answersUntil(guest: BootedGuest, signal: AbortSignal): Promise<Latency> {
  const millis: number[] = [];
  while (!signal.aborted) {
    const begin = performance.now();
    await guest.read();
    millis.push(performance.now() - begin);
    await sleep(REQUEST_MILLIS);
  }
  return { p50: quantile(millis, 0.5), p99: quantile(millis, 0.99), p999: quantile(millis, 0.999) };
}

const HEADER = [
  '| machine | ksmd | ksmd, % of a core | work | wake-up: p50, p99, p99.9 | answer: p50, p99, p99.9 |',
  '| --- | --- | --- | --- | --- | --- |',
] as const;

function rowOf(isBusy: boolean, tuning: Ksmtuning | undefined, felt: Felt, off: Felt): string {
  const { work, wakeUps, answers, ksmdPercent } = felt;
  const percent = (100 * (work / off.work - 1)).toFixed(1);
  const done = isBusy ? `${work} (${percent.startsWith('-') ? '' : '+'}${percent} %)` : '';
  const latency = ({ p50, p99, p999 }: Latency) => `${[p50, p99, p999].map((one) => one.toFixed(2)).join(', ')} ms`;
  const cells = [isBusy ? 'busy' : 'quiet', nameOf(tuning), ksmdPercent.toFixed(1), done];
  return `| ${[...cells, latency(wakeUps), latency(answers)].join(' | ')} |`;
}

function nameOf(tuning: Ksmtuning | undefined): string {
  return tuning === undefined ? 'off' : `${tuning.sched}, ${tuning.cpuMaxPercent} %`;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
