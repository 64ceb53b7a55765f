import type { Decision } from '../../decision.js';
import { formatBytes } from '../../format.js';
import { residentBytesOf } from '../../guest.js';
import { formatDuration } from '../../duration.js';
import type { KsmSettings, KsmState } from '../../ksm.js';
import { type Policy, ownMemory } from '../../policy.js';
import type { Trigger } from '../../trigger.js';
import type { Sample } from '../../sample.js';
import { type Burst, beginBurst, isOver, judgeBurst } from '../shared/burst.js';
import {
  PRESSURE_WAIT_MILLIS,
  arrivals,
  describeScanCause,
  hasDeparture,
  newOccasion,
  nextScanCause,
  ripeAndLater,
  type ScanCause,
} from '../shared/cause.js';
import { type Need, type NeedOptions, needOf } from '../shared/need.js';
import { batchNanosFor, sleepFor } from '../shared/pace.js';
import {
  DEAREST_PAGE_NANOS,
  type KsmdCounters,
  ksmdCountersOf,
  isWorthIt,
  progressBetween,
  worthOf,
} from '../shared/progress.js';
import { type Settling, describeSettling, growingIn, nextSettling } from '../shared/settling.js';
import { stageOfBurst } from '../shared/stage.js';

export interface AdvisorOptions extends NeedOptions {
  /** KSM_CPU_MAX: advisor_max_cpu, percent of one core from 1 to 100. */
  readonly cpuMaxPercent: number;
}

/** The last burst has brought what there was: passes take longer and longer. */
interface Calm {
  readonly name: 'calm';
  /** When that burst ended, milliseconds of the monotonic clock. */
  readonly sinceMillis: number;
  /** Where the pass under way began. */
  readonly pass: KsmdCounters;
}

/** What the policy advisor remembers. */
export interface AdvisorMemory {
  readonly policy: 'advisor';
  readonly need: Pick<Need, 'needed' | 'urgent'>;
  readonly due: ScanCause | undefined;
  readonly settling: Settling;
  /** The last look. */
  readonly counters: KsmdCounters;
  /** `rest` until the first burst, and while merging is not needed. */
  readonly phase: { readonly name: 'rest' } | Burst | Calm;
  /** The advisor's target for a pass, in seconds. */
  readonly targetSeconds: number;
  /** For so long after a burst pressure is no reason for another, milliseconds; doubled by each that brought nothing. */
  readonly pressureWaitMillis: number;
  /** When the advisor was last switched off to start again, milliseconds of the monotonic clock. */
  readonly restartedAtMillis: number;
  /** The dearest page so far, nanoseconds of ksmd's CPU time. */
  readonly pageNanos: number;
}

type Pacing = Pick<AdvisorMemory, 'phase' | 'targetSeconds' | 'pressureWaitMillis'>;

/** Time of a page in a pass with few merges, nanoseconds: what a target is estimated from. */
const USUAL_PAGE_NANOS = 2000;
const SHORTEST_TARGET_SECONDS = 5;
/** Calm lengthens the target by this factor with each pass without gain, up to an hour for a pass. */
const CALMER = 4;
const LONGEST_TARGET_SECONDS = 3600;
/** A burst goes through memory this often at least. */
const BURST_PASSES = 2;
const LONGEST_PRESSURE_WAIT_MILLIS = 3_600_000;
const REST: Pacing = {
  phase: { name: 'rest' },
  targetSeconds: LONGEST_TARGET_SECONDS,
  pressureWaitMillis: PRESSURE_WAIT_MILLIS,
};
/** What the kernel's rounding adds to ksmd's sleep, about. */
const TICK_MILLIS = 4;
const FAR = 2;
const RESTART_MILLIS = 50;
const BURST_LOOK_MILLIS = 2000;
const LOOK_MILLIS = 10_000;
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
  const due = nextScanCause(before?.due, triggers, arrivals(triggers), sample.guests, occasion);
  const settling = nextSettling(before?.settling ?? {}, sample.guests, triggers, counters.monotonicMillis);
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
  if (progress.gainedBytes >= worthOf(BURST_PASSES * passNanos(sample))) return undefined;
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

/** The batch that the target asks for: after an event as much as the budget allows, in calm a pass within the target. */
function pagesFor({ pageNanos, targetSeconds, counters }: AdvisorMemory, calm: boolean, budget: number): number {
  const most = Math.max(Math.trunc(batchNanosFor(budget) / pageNanos), 1);
  const periodSeconds = (sleepFor(budget) + TICK_MILLIS) / 1000;
  const enough = Math.ceil((counters.pagesSeen * periodSeconds) / targetSeconds);
  return calm ? Math.min(Math.max(enough, 1), most) : most;
}

/**
 * Whether the advisor, which is on, scans far more or far less than it should: it takes a new minimum and maximum at the end of a
 * pass only, which comes late where it scans little.
 */
function isFarFrom(pages: number, { advisorMode, pagesToScan }: KsmState): boolean {
  return advisorMode === 'scan-time' && (pagesToScan > pages * FAR || pagesToScan < pages / FAR);
}

function decisionOf(memory: AdvisorMemory, need: Need, sample: Sample, options: AdvisorOptions): Decision {
  const { phase, due, targetSeconds, counters, settling } = memory;
  const { cpuMaxPercent } = options;
  const keys = [...need.working.keys, 'KSM_CPU_MAX'];
  if (!need.needed) {
    return {
      reason: 'enough-memory',
      sentence: `${need.sentence}: not merging`,
      settings: { run: 0 },
      nextInMillis: LOOK_MILLIS,
      working: { ...need.working, keys },
    };
  }
  const calm = phase.name !== 'burst';
  const pages = pagesFor(memory, calm, cpuMaxPercent / 100);
  const mayRestart = counters.monotonicMillis - memory.restartedAtMillis >= BURST_LOOK_MILLIS;
  const restarts = mayRestart && isFarFrom(pages, sample.ksm);
  const settings: KsmSettings = {
    sleepMillisecs: sleepFor(cpuMaxPercent / 100),
    advisorMaxCpu: cpuMaxPercent,
    advisorMinPagesToScan: pages,
    advisorMaxPagesToScan: pages,
    advisorTargetScanTime: targetSeconds,
    advisorMode: restarts ? 'none' : 'scan-time',
    run: 1,
  };
  const saved = formatBytes(counters.savedBytes);
  const target = `the kernel's advisor aims at a pass in ${formatDuration(targetSeconds * 1000)}, at most ${cpuMaxPercent} % of a core`;
  const resting =
    due === undefined ? `nothing more to gain, ${saved} saved` : describeSettling(settling, sample.guests);
  return {
    reason: 'advised',
    stage:
      phase.name === 'burst'
        ? stageOfBurst(phase, counters, sample, cpuMaxPercent / 100)
        : { name: due === undefined ? 'done' : 'waiting' },
    sentence: `${need.sentence}; ${phase.name === 'burst' ? phase.why : resting}: ${target}`,
    settings,
    isUrgent: need.urgent,
    nextInMillis: restarts ? RESTART_MILLIS : calm ? LOOK_MILLIS : BURST_LOOK_MILLIS,
    routine: phase.name === 'calm' || (phase.name === 'burst' && phase.begin !== counters),
    working: {
      ...need.working,
      terms: [
        ...need.working.terms,
        { name: 'CPU budget', value: cpuMaxPercent, unit: 'percent', source: 'KSM_CPU_MAX, of one core' },
        {
          name: 'target',
          value: targetSeconds * 1000,
          unit: 'milliseconds',
          source: 'four times as long after each pass that found nothing',
        },
      ],
      keys,
    },
  };
}
