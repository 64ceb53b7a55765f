import type { Plan } from '../../../src/core/retune.js';
import { VirtualHost } from '../../../src/simulation/host.js';
import type { HostOptions } from '../../../src/simulation/hostOptions.js';
import { Recorder } from './recorder.js';
import type { Scenario } from '../../../src/simulation/step.js';
import { type Figures, type Trace, figuresOf } from '../../../src/simulation/trace.js';

export interface SimulationOptions {
  readonly story: Scenario;
  /** The tuner: a daemon's plan, or one of `fixedPlan`. */
  readonly plan: Plan;
  /** From the clock's start. */
  readonly durationMillis: number;
  /** The host is as small, or as large, as the story wants it, unless this says how much memory it has. */
  readonly host?: Partial<HostOptions>;
  /** The distance of the trace's points (1 s). */
  readonly pointMillis?: number;
}

export interface SimulationRun {
  /** From the tuner's start on, which is before the clock's where a story begins converged. */
  readonly trace: Trace;
  readonly figures: Figures;
}

const MIB = 1024 ** 2;
/** The reserve that ksmtuned.conf asks for by default, as a share of memory. */
const RESERVE_SHARE = 0.2;
/** A story that begins converged begins when so much of what can be saved is saved ... */
const CONVERGED_SHARE = 0.99;
/** ... and the tuner has had this time to come to rest. */
const REST_MILLIS = 300_000;
const STRIDE_MILLIS = 10_000;
const POINT_MILLIS = 1000;
const LONGEST_CONVERGENCE_MILLIS = 86_400_000;

/** Runs a story with a tuner on a virtual host. The same options give the same run. */
export function simulate(options: SimulationOptions): SimulationRun {
  const { story, plan, durationMillis, host, pointMillis = POINT_MILLIS } = options;
  const recorder = new Recorder({ memoryMiB: memoryFor(story, host), ...host }, pointMillis);
  const { simulation } = recorder;
  for (const step of story.before) simulation.take(step, true);
  simulation.start(plan);
  recorder.pass(0);
  if (story.converged) converge(recorder);
  const clockMillis = simulation.host.nowMillis;
  for (const step of story.then) simulation.take(step);
  simulation.schedule(story.later ?? []);
  recorder.pass(durationMillis);
  const trace = recorder.trace(clockMillis);
  return { trace, figures: figuresOf(trace, story.gainMiB * MIB) };
}

/** Until the tuner has merged what there is and has rested, or can be waited for no longer. */
function converge(recorder: Recorder): void {
  const { host } = recorder.simulation;
  while (host.savedBytes < CONVERGED_SHARE * host.possibleBytes && host.nowMillis < LONGEST_CONVERGENCE_MILLIS) {
    recorder.pass(STRIDE_MILLIS);
  }
  recorder.pass(REST_MILLIS);
}

/**
 * Short: the guests that are there first, or else all that come, leave three quarters of the reserve free. Plenty: they use a
 * quarter of memory.
 */
function memoryFor({ before, then, later = [], memory }: Scenario, options: Partial<HostOptions> | undefined): number {
  const host = new VirtualHost({ ...options, memoryMiB: 0 });
  const coming = [...then, ...later.map(({ step }) => step)];
  for (const step of before.length > 0 ? before : coming) host.take(step, true);
  const usedMiB = host.usedBytes / MIB;
  return Math.ceil(memory === 'short' ? usedMiB / (1 - 0.75 * RESERVE_SHARE) : usedMiB * 4);
}
