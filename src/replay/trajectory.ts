import { type HistoryDecision, type HistoryMemory, recordsOf } from '../core/history/record.js';
import { type KsmSettings, ksmWrites, settingsOf } from '../core/ksm.js';
import type { Policy } from '../core/policy.js';
import type { Plan } from '../core/retune.js';
import type { KsmdCosts } from '../simulation/kernel/costs.js';
import type { CurvePoint } from '../simulation/curve.js';
import { Simulation } from '../simulation/run.js';
import { type TimedStep } from '../simulation/step.js';
import { withoutIdleLooks } from './idleLooks.js';
import type { RebuiltHost } from './rebuild.js';

/** A moment of a rebuilt host's trajectory, in the record's time. */
export interface TrajectoryPoint extends CurvePoint {
  readonly possibleBytes: number;
  readonly pagesScanned: number;
}

/** How a rebuilt host fared under a policy. */
export interface Trajectory {
  /** Evenly spaced. */
  readonly points: readonly TrajectoryPoint[];
  /** As samepaged would have recorded them. */
  readonly decisions: readonly HistoryDecision[];
}

const STRIDE_MILLIS = 10_000;
const PRIMING_MILLIS = 250;
const FLAT_OUT: KsmSettings = { pagesToScan: 1_000_000, sleepMillisecs: 0, run: 1 };
const LONGEST_PRIMING_MILLIS = 86_400_000;

/**
 * Runs a rebuilt host under a plan, from the state in which the record begins.
 *
 * @param onPassed is called with how much of the time has passed.
 */
export function trajectoryOf(
  rebuilt: RebuiltHost,
  plan: Plan,
  costs: KsmdCosts,
  onPassed: (millis: number) => void = () => undefined,
): Trajectory {
  const { durationMillis, later } = rebuilt;
  const decisions: HistoryDecision[] = [];
  let memory: HistoryMemory | undefined;
  /** From the simulation's time to the record's; undefined until the record begins. */
  let lateMillis: number | undefined = undefined;
  const simulation = new Simulation({ ...rebuilt.host, costs }, (retune) => {
    if (lateMillis === undefined) return;
    const atMillis = host.nowMillis + lateMillis;
    const [next, records] = recordsOf(memory, retune, atMillis);
    memory = next;
    for (const record of records) if (record.kind === 'decision') decisions.push({ ...record, atMillis });
  });
  const { host } = simulation;
  for (const step of rebuilt.before) simulation.take(step, true);
  simulation.start(waiting(withoutIdleLooks(plan, host), () => lateMillis === undefined));
  simulation.pass(0);
  prime(simulation, rebuilt.savedBytes, onPassed);
  const beganMillis = host.nowMillis;
  lateMillis = rebuilt.beginMillis - beganMillis;

  const point = (): TrajectoryPoint => ({
    atMillis: host.nowMillis - beganMillis + rebuilt.beginMillis,
    savedBytes: host.savedBytes,
    possibleBytes: host.possibleBytes,
    ksmdCpuNanos: host.ksmd.cpuNanos,
    pagesScanned: host.ksmd.pagesScanned,
  });
  const points = [point()];
  for (let [passed, next] = [0, 0]; passed < durationMillis; passed += STRIDE_MILLIS) {
    const steps = later.slice(next, stepsUntil(later, next, passed + STRIDE_MILLIS));
    next += steps.length;
    simulation.schedule(steps.map(({ atMillis, step }) => ({ atMillis: atMillis - passed, step })));
    simulation.pass(Math.min(STRIDE_MILLIS, durationMillis - passed));
    points.push(point());
    onPassed(Math.min(STRIDE_MILLIS, durationMillis - passed));
  }
  return { points, decisions };
}

/** The index of the first step that is not due before then. */
function stepsUntil(steps: readonly TimedStep[], from: number, millis: number): number {
  let index = from;
  while ((steps[index]?.atMillis ?? Infinity) < millis) index += 1;
  return index;
}

/** Merges what was merged when the record begins. */
function prime(simulation: Simulation, savedBytes: number, onPassed: (millis: number) => void): void {
  const { host } = simulation;
  const isShort = () => host.savedBytes < Math.min(savedBytes, 0.99 * host.possibleBytes);
  if (!isShort()) return;
  const before = settingsOf(host.ksmd.state());
  for (const { setting, to } of ksmWrites(before, FLAT_OUT)) host.write(setting, to);
  while (isShort() && host.nowMillis < LONGEST_PRIMING_MILLIS) {
    simulation.pass(PRIMING_MILLIS);
    onPassed(0);
  }
  for (const { setting, to } of ksmWrites(settingsOf(host.ksmd.state()), before)) host.write(setting, to);
}

/** The plan with a policy that leaves everything as it is while it waits, and then begins. */
function waiting(plan: Plan, waits: () => boolean): Plan {
  const { policy, because } = plan;
  let hasBegun = false;
  const decide: Policy['decide'] = (memory, sample, triggers) => {
    if (waits()) return [undefined, { reason: 'always', sentence: '', settings: {}, nextInMillis: PRIMING_MILLIS }];
    const first = hasBegun ? [] : [because];
    hasBegun = true;
    return policy.decide(memory, sample, [...first, ...triggers]);
  };
  return { ...plan, policy: { name: policy.name, decide } };
}
