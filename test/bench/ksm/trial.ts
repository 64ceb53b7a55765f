import { setTimeout as sleep } from 'node:timers/promises';
import { readMemoryFigures } from '../../../src/host/meminfo.js';
import type { Scenario } from '../../../src/simulation/step.js';
import type { Lab } from '../../support/kvm/lab.js';
import { cpuPercent } from '../../../src/simulation/curve.js';
import { atTime } from './curve.js';
import { type Course, type Figures, type Usage, figuresOf } from './figures.js';
import type { KsmControl } from './ksmControl.js';
import type { Progress } from './progress.js';
import { type HostMemory, readHostMemory } from './hostMemory.js';
import { type Measured, Sampler } from './sampler.js';
import { type Stage, reserveFor, watchedMillis } from './stage.js';
import { type Told, startTuner } from './startTuner.js';
import { TUNERS, type TunerName } from './tuners.js';

/** What a trial works with. */
export interface Theatre {
  readonly lab: Lab;
  readonly ksm: KsmControl;
  readonly stage: Stage;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface TrialOptions {
  readonly cpuMaxPercent: number;
  readonly limitMillis: number;
  readonly afterMillis: number;
  readonly forMillis: number | undefined;
  readonly logFile: string | undefined;
}

/** What a tuner did in a scenario. */
export interface Outcome {
  readonly scenario: string;
  readonly tuner: TunerName;
  readonly figures: Figures;
  /** Undefined for a tuner that is the kernel alone. */
  readonly usage: Usage | undefined;
  /** What samepaged says was saved. */
  readonly told: Told | undefined;
  /** At the beginning of what the scenario does, and at the end; undefined where guests come or go meanwhile. */
  readonly memory: readonly [HostMemory, HostMemory] | undefined;
  /** What KSM's counters say was saved, at the end. */
  readonly countedBytes: number;
  readonly bookkeepingBytes: number | undefined;
  /** How long ksmd was ready to run and had no CPU: much of it says that the machine had other things to do. */
  readonly ksmdWaitedMillis: number;
  /** From the first start to the last guest's being ready; undefined where no guest is started. */
  readonly guestsReadyMillis: number | undefined;
  /** In times from the clock's start. */
  readonly curve: readonly Measured[];
}

const MIB = 1024 ** 2;
const LOOK_MILLIS = 250;
const ALL_SHARE = 0.99;
/** A tuner has come to rest when ksmd used less than this of a core for so long. */
const REST_PERCENT = 1;
const REST_MILLIS = 20_000;
/** Every tuner has looked once by then (KSM_MONITOR_INTERVAL is 60 s), and none is waited for longer than this. */
const LEAST_WAIT_FOR_REST_MILLIS = 70_000;
const MOST_WAIT_FOR_REST_MILLIS = 180_000;

/** One tuner in one scenario, on guests that are on the stage already. Leaves them as they were; what is merged stays merged. */
export async function runTrial(
  theatre: Theatre,
  scenario: Scenario,
  name: TunerName,
  options: TrialOptions,
): Promise<Outcome> {
  const { lab, ksm, stage, progress, signal } = theatre;
  const title = titleOf(scenario, name);
  progress.stage(`${title}: unmerging`);
  await ksm.fresh();
  if (scenario.converged) {
    progress.stage(`${title}: merging what is alike before it begins`);
    await ksm.converge(signal);
  }
  using sampler = new Sampler(hasEmptyPages(scenario) ? 'guests' : 'counters');
  const reserve = reserveFor(scenario, readMemoryFigures('').memTotalBytes);
  let memoryAtBegin = readHostMemory();
  const startedMillis = performance.now();
  const tuner = await startTuner(TUNERS[name], { ...options, lab, ksm, reserve });
  try {
    const trial = new Trial(theatre, sampler, scenario, name, options);
    if (scenario.converged) {
      await trial.untilRest();
      memoryAtBegin = readHostMemory();
    }
    const course = await trial.watch(scenario.converged ? performance.now() : startedMillis);
    const { points } = sampler;
    const atBegin = points.find(({ atMillis }) => atMillis >= course.beginMillis) ?? sampler.latest;
    return {
      scenario: scenario.name,
      tuner: name,
      figures: figuresOf(points, course, scenario.gainMiB * MIB),
      usage: tuner.usage(),
      told: await tuner.told(),
      memory: isSteady(scenario) ? [memoryAtBegin, readHostMemory()] : undefined,
      countedBytes: sampler.latest.countedBytes,
      bookkeepingBytes: sampler.latest.bookkeepingBytes,
      ksmdWaitedMillis: (sampler.latest.ksmdWaitNanos - atBegin.ksmdWaitNanos) / 1e6,
      guestsReadyMillis: course.guestsReadyMillis,
      curve: points.map((point) => ({ ...point, atMillis: point.atMillis - course.zeroMillis })),
    };
  } finally {
    await tuner.stop();
    // After an interruption the laboratory goes as a whole.
    if (!signal.aborted) await stage.undo(scenario);
  }
}

class Trial {
  readonly #theatre: Theatre;
  readonly #sampler: Sampler;
  readonly #scenario: Scenario;
  readonly #name: TunerName;
  readonly #options: TrialOptions;

  constructor(theatre: Theatre, sampler: Sampler, scenario: Scenario, name: TunerName, options: TrialOptions) {
    this.#theatre = theatre;
    this.#sampler = sampler;
    this.#scenario = scenario;
    this.#name = name;
    this.#options = options;
  }

  async untilRest(): Promise<void> {
    this.#theatre.progress.stage(`${titleOf(this.#scenario, this.#name)}: waiting until it has come to rest`);
    const least = performance.now() + Math.min(LEAST_WAIT_FOR_REST_MILLIS, this.#options.limitMillis);
    const canRest = TUNERS[this.#name].kind !== 'kernel';
    const longestMillis = canRest ? MOST_WAIT_FOR_REST_MILLIS : LEAST_WAIT_FOR_REST_MILLIS;
    const most = performance.now() + Math.min(longestMillis, this.#options.limitMillis);
    await this.#until(most, (now) => {
      const before = atTime(this.#sampler.points, now.atMillis - REST_MILLIS);
      const percent = cpuPercent(before, now);
      this.#theatre.progress.detail(`ksmd at ${percent.toFixed(1)} % of a core`);
      return now.atMillis >= least && percent < REST_PERCENT;
    });
  }

  /** From the beginning of what the scenario does to the end of the calm after it. */
  async watch(beginMillis: number): Promise<Course & Pick<Outcome, 'guestsReadyMillis'>> {
    const { stage, progress } = this.#theatre;
    const { then, later = [], converged } = this.#scenario;
    progress.stage(titleOf(this.#scenario, this.#name));
    const baseBytes = atTime(this.#sampler.points, beginMillis).savedBytes;
    const taken = stage.take(then).then(() => performance.now());
    const zeroMillis = converged ? await taken : beginMillis;
    const [doneMillis, gainedMillis] = await Promise.all([
      taken,
      this.#watchGain(zeroMillis, baseBytes),
      stage.follow(later, zeroMillis),
    ]);
    const starts = then.some(({ kind }) => kind === 'start');
    const calmEnd = this.#sampler.take().atMillis;
    return {
      beginMillis,
      zeroMillis,
      calmMillis: [Math.max(doneMillis, gainedMillis), calmEnd],
      guestsReadyMillis: starts ? doneMillis - beginMillis : undefined,
    };
  }

  /** @returns when the gain was had, or waited for no longer; the calm after it is over when it resolves. */
  async #watchGain(zeroMillis: number, baseBytes: number): Promise<number> {
    const { progress } = this.#theatre;
    const { limitMillis, afterMillis } = this.#options;
    const lastsMillis = watchedMillis(this.#scenario, this.#options);
    const gainBytes = this.#scenario.gainMiB * MIB;
    if (TUNERS[this.#name].neverMerges === true) return performance.now();
    if (gainBytes > 0) {
      await this.#until(zeroMillis + (lastsMillis ?? limitMillis), (now) => {
        const share = (now.savedBytes - baseBytes) / gainBytes;
        progress.detail(`${percentText(share)} of the gain after ${secondsText(now.atMillis - zeroMillis)}`);
        return share >= ALL_SHARE;
      });
    }
    const gainedMillis = performance.now();
    const endMillis = lastsMillis === undefined ? gainedMillis + afterMillis : zeroMillis + lastsMillis;
    await this.#until(endMillis, (now) => {
      progress.detail(`calm, ${secondsText(endMillis - now.atMillis)} to go`);
      return false;
    });
    return gainedMillis;
  }

  /** Looks again and again, until `isEnough` or until that time has come. */
  async #until(endMillis: number, isEnough: (now: Measured) => boolean): Promise<void> {
    while (performance.now() < endMillis && !isEnough(this.#sampler.latest)) {
      await sleep(LOOK_MILLIS, undefined, { signal: this.#theatre.signal });
    }
  }
}

/** Whether guests have empty pages, which splits of huge pages free: no counter shows it, and unmerging does not undo it. */
export function hasEmptyPages({ before }: Scenario): boolean {
  return before.some((step) => step.kind === 'start' && (step.content.zeroMiB ?? 0) > 0);
}

/** Whether the guests stay the same, so that what is available tells what merging gave. */
function isSteady({ then, later = [] }: Scenario): boolean {
  return [...then, ...later.map(({ step }) => step)].every(({ kind }) => kind === 'align');
}

function titleOf({ name }: Scenario, tuner: TunerName): string {
  return `${name}, ${tuner}`;
}

function percentText(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function secondsText(millis: number): string {
  return `${(millis / 1000).toFixed(0)} s`;
}
