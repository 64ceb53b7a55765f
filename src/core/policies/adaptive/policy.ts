import { type Policy, ownMemory } from '../../policy.js';
import type { Trigger } from '../../trigger.js';
import type { Sample } from '../../sample.js';
import { decisionOf } from './explain.js';
import { PRESSURE_WAIT_MILLIS, arrivals, hasDeparture, newOccasion, nextScanCause } from '../shared/cause.js';
import { type Need, needOf } from '../shared/need.js';
import { type Pace, firstPace, nextPace, restingPace } from '../shared/pace.js';
import { nextCourse } from './course.js';
import { type Course, isScanning } from './phase.js';
import { earn, firstProbing } from './probe.js';
import { type KsmdCounters, type Progress, ksmdCountersOf, progressBetween } from '../shared/progress.js';
import { growingIn, nextSettling, turnedOutGrowing } from '../shared/settling.js';
import type { AdaptiveOptions, AdaptiveMemory } from './memory.js';

/**
 * Merges when memory is short or promised to be, in bursts at a CPU budget, and rests otherwise. docs/policies.md tells how.
 *
 * INVARIANTS: ksmd runs in the phases `burst` and `probe` only; a burst ends when whole passes bring nothing more; what
 * nobody asked for (probes, and bursts after a hint that lead to nothing) is paid for out of the probes' credit.
 */
export function adaptivePolicy(options: AdaptiveOptions): Policy {
  return {
    name: 'adaptive',
    decide(memory, sample, triggers) {
      const before = ownMemory<AdaptiveMemory>(memory, 'adaptive');
      const need = needOf(sample, before?.need, options);
      const next = nextMemory(before, need, sample, triggers, options);
      return [next, decisionOf(next, before?.phase, need, sample, options)];
    },
  };
}

function nextMemory(
  before: AdaptiveMemory | undefined,
  need: Need,
  sample: Sample,
  triggers: readonly Trigger[],
  { cpuMaxPercent, probeMaxMillis }: AdaptiveOptions,
): AdaptiveMemory {
  const budget = cpuMaxPercent / 100;
  const counters = withCpuTime(ksmdCountersOf(sample), before, budget);
  const progress = before && progressBetween(before.counters, counters);
  const settling = nextSettling(before?.settling, sample.guests, triggers, counters.monotonicMillis);
  const occasion = newOccasion('adaptive', before, { need, counters }, triggers, isGoneThrough(before, counters));
  const course = before ?? firstCourse(probeMaxMillis);
  const growing = growingIn(settling);
  const came = [...arrivals(triggers), ...turnedOutGrowing(before?.settling, settling)];
  const due = nextScanCause(course.due, triggers, came, sample.guests, occasion);
  const waits = course.due?.guests.every((id) => due?.guests.includes(id)) === true;
  const earned = isScanning(course.phase) || progress === undefined ? undefined : progress;
  const next = nextCourse(
    {
      ...course,
      due,
      dueSinceMillis: waits ? course.dueSinceMillis : counters.monotonicMillis,
      probing: earned === undefined ? course.probing : earn(course.probing, earned, probeMaxMillis),
    },
    {
      ...{ sample, need, counters, growing, budget, probeMaxMillis },
      departed: hasDeparture(triggers),
    },
  );
  const ranOn = isScanning(course.phase) && sample.ksm.run === 1 && isScanning(next.phase);
  const yields = sample.ksm.ksmdSched?.startsWith('idle') === true;
  const pace = paceOf(before?.pace ?? firstPace(budget), ranOn, progress, { budget, yields });
  return { ...next, policy: 'adaptive', need, settling, counters, pace };
}

function firstCourse(probeMaxMillis: number): Course {
  return {
    phase: { name: 'rest' },
    due: undefined,
    dueSinceMillis: 0,
    ripeSinceMillis: undefined,
    requiredGainFactor: 1,
    probing: firstProbing(probeMaxMillis, false),
    last: undefined,
    pressureWaitMillis: PRESSURE_WAIT_MILLIS,
  };
}

function isGoneThrough(before: AdaptiveMemory | undefined, { monotonicMillis }: KsmdCounters): boolean {
  if (before === undefined) return false;
  const { phase, last, pressureWaitMillis } = before;
  if (phase.name === 'burst') return true;
  return last !== undefined && monotonicMillis - last.pass.monotonicMillis < pressureWaitMillis;
}

/** Where neither ksmd's CPU time nor its pages can be seen, it is taken to use its budget. */
function withCpuTime(counters: KsmdCounters, before: AdaptiveMemory | undefined, budget: number): KsmdCounters {
  if (counters.cpuNanos !== undefined || counters.pagesVisited !== undefined) return counters;
  const { monotonicMillis } = counters;
  const ranMillis =
    before !== undefined && isScanning(before.phase) ? monotonicMillis - before.counters.monotonicMillis : 0;
  return { ...counters, cpuNanos: (before?.counters.cpuNanos ?? 0) + budget * Math.max(ranMillis, 0) * 1e6 };
}

function paceOf(
  pace: Pace,
  ranOn: boolean,
  progress: Progress | undefined,
  { budget, yields }: { readonly budget: number; readonly yields: boolean },
): Pace {
  if (progress === undefined) return { ...firstPace(budget), owedNanos: pace.owedNanos };
  return ranOn ? nextPace(pace, progress, budget, yields) : restingPace(pace, progress, budget);
}
