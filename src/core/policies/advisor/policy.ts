import { residentBytesOf } from '../../guest.js';
import { type Policy, ownMemory } from '../../policy.js';
import type { Trigger } from '../../trigger.js';
import type { Sample } from '../../sample.js';
import { beginBurst, isOver, judgeBurst, passesToMerge } from '../shared/burst.js';
import {
  PRESSURE_WAIT_MILLIS,
  arrivals,
  describeScanCause,
  hasDeparture,
  newOccasion,
  nextScanCause,
  ripeAndLater,
} from '../shared/cause.js';
import { type Need, needOf } from '../shared/need.js';
import {
  DEAREST_PAGE_NANOS,
  type KsmdCounters,
  ksmdCountersOf,
  isWorthIt,
  progressBetween,
  worthOf,
} from '../shared/progress.js';
import { growingIn, nextSettling, turnedOutGrowing } from '../shared/settling.js';
import { decisionOf } from './explain.js';
import type { AdvisorMemory, AdvisorOptions } from './memory.js';

type Pacing = Pick<AdvisorMemory, 'phase' | 'targetSeconds' | 'pressureWaitMillis'>;

/** Time of a page in a pass with few merges, nanoseconds: what a target is estimated from. */
const USUAL_PAGE_NANOS = 2000;
const SHORTEST_TARGET_SECONDS = 5;
/** Calm lengthens the target by this factor with each pass without gain, up to an hour for a pass. */
const CALMER = 4;
const LONGEST_TARGET_SECONDS = 3600;
const LONGEST_PRESSURE_WAIT_MILLIS = 3_600_000;
const REST: Pacing = {
  phase: { name: 'rest' },
  targetSeconds: LONGEST_TARGET_SECONDS,
  pressureWaitMillis: PRESSURE_WAIT_MILLIS,
};
const LEAST_MEASURED_PAGES = 10_000;

/**
 * Lets the kernel's scan-time advisor (Linux 6.8) pace ksmd, and decides only when it merges, and the advisor's targets and
 * bounds. Left alone the advisor changes its pace at the end of a pass only, charges the first pass with all the CPU time
 * that ksmd ever used, which slows the next to next to nothing, and never takes less than a tenth of a core. So whenever its
 * page count is far from what the target asks for, it is switched off and on: it then begins at advisor_min_pages_to_scan.
 *
 * Source: scan_time_advisor() and set_advisor_defaults() of mm/ksm.c.
 */
export function advisorPolicy(options: AdvisorOptions): Policy {
  return {
    name: 'advisor',
    decide(memory, sample, triggers) {
      const before = ownMemory<AdvisorMemory>(memory, 'advisor');
      const need = needOf(sample, before?.need, options);
      const next = nextMemory(before, need, sample, triggers, options);
      const decision = decisionOf(next, need, sample, options);
      const restarts = decision.settings.advisorMode === 'none';
      return [restarts ? { ...next, restartedAtMillis: next.counters.monotonicMillis } : next, decision];
    },
  };
}

function nextMemory(
  before: AdvisorMemory | undefined,
  need: Need,
  sample: Sample,
  triggers: readonly Trigger[],
  options: AdvisorOptions,
): AdvisorMemory {
  const counters = ksmdCountersOf(sample);
  const { phase, targetSeconds, pressureWaitMillis } = before ?? REST;
  const pacing = { phase, targetSeconds, pressureWaitMillis };
  const occasion = newOccasion('advisor', before, { need, counters }, triggers, isGoneThrough(pacing, counters));
  const settling = nextSettling(before?.settling, sample.guests, triggers, counters.monotonicMillis);
  const came = [...arrivals(triggers), ...turnedOutGrowing(before?.settling, settling)];
  const due = nextScanCause(before?.due, triggers, came, sample.guests, occasion);
  const growing = growingIn(settling);
  const { ripe, later } = need.urgent ? { ripe: due, later: undefined } : ripeAndLater(due, growing);
  // A guest alone has nobody to share with.
  const waits = growing.length > 0 && sample.guests.length - growing.length < 2 && !need.urgent;
  const common = {
    policy: 'advisor',
    ...{ need, settling, counters },
    pageNanos: dearest(before, counters),
    restartedAtMillis: before?.restartedAtMillis ?? Number.NEGATIVE_INFINITY,
  } as const;
  if (!need.needed) return { ...common, due: undefined, ...REST };
  const hopedBytes = residentBytesOf(sample.guests);
  const begin = (why: string): Pacing => ({
    pressureWaitMillis,
    phase: beginBurst(counters, { why, hintShare: undefined, thorough: true, hopedBytes }),
    targetSeconds: Math.min(
      Math.max(Math.ceil(passNanos(sample) / 1e9 / (options.cpuMaxPercent / 100)), SHORTEST_TARGET_SECONDS),
      LONGEST_TARGET_SECONDS,
    ),
  });
  if (ripe !== undefined && !waits) return { ...common, due: later, ...begin(describeScanCause(ripe, sample.guests)) };
  const next = nextPacing(pacing, counters, sample, hasDeparture(triggers));
  if (next === undefined && due === undefined) return { ...common, due, ...begin('a slow pass found pages to merge') };
  return { ...common, due, ...(next ?? pacing) };
}

/** What the passes since the last retune lead to; undefined where slow ones have brought as much as fast ones must. */
function nextPacing(pacing: Pacing, counters: KsmdCounters, sample: Sample, disturbed: boolean): Pacing | undefined {
  const { phase, targetSeconds, pressureWaitMillis } = pacing;
  const calm = (sinceMillis: number): Pacing => ({
    ...pacing,
    phase: { name: 'calm', sinceMillis, pass: counters },
    targetSeconds: Math.min(targetSeconds * CALMER, LONGEST_TARGET_SECONDS),
  });
  if (phase.name === 'rest') return pacing;
  if (phase.name === 'burst') {
    const burst = judgeBurst(phase, counters, disturbed);
    if (!isOver(burst)) return { ...pacing, phase: burst };
    const all = progressBetween(burst.begin, counters);
    const longerMillis = Math.min(2 * pressureWaitMillis, LONGEST_PRESSURE_WAIT_MILLIS);
    const worthIt = all !== undefined && isWorthIt(all);
    return { ...calm(counters.monotonicMillis), pressureWaitMillis: worthIt ? PRESSURE_WAIT_MILLIS : longerMillis };
  }
  const progress = progressBetween(phase.pass, counters);
  if (progress === undefined || disturbed) return { ...pacing, phase: { ...phase, pass: counters } };
  if (progress.gainedBytes >= worthOf(passesToMerge(counters) * passNanos(sample))) return undefined;
  return progress.passes > 0 ? calm(phase.sinceMillis) : pacing;
}

function isGoneThrough({ phase, pressureWaitMillis }: Pacing, { monotonicMillis }: KsmdCounters): boolean {
  return phase.name === 'burst' || (phase.name === 'calm' && monotonicMillis - phase.sinceMillis < pressureWaitMillis);
}

function dearest(before: AdvisorMemory | undefined, counters: KsmdCounters): number {
  const progress = before && progressBetween(before.counters, counters);
  const known = before?.pageNanos ?? DEAREST_PAGE_NANOS;
  if (progress?.visitedPages === undefined || progress.visitedPages < LEAST_MEASURED_PAGES) return known;
  return Math.max(known, progress.cpuNanos / progress.visitedPages);
}

/** ksmd's time for a pass, estimated. */
function passNanos({ guests, pageSizeBytes }: Sample): number {
  return (residentBytesOf(guests) / pageSizeBytes) * USUAL_PAGE_NANOS;
}
