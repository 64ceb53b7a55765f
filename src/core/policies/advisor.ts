import type { Decision } from '../decision.js';
import { formatBytes } from '../format.js';
import { residentBytesOf } from '../guest.js';
import { formatDuration } from '../duration.js';
import { type KsmSettings, type KsmState, savedBytes } from '../ksm.js';
import type { Policy, Trigger } from '../policy.js';
import type { Sample } from '../sample.js';
import { type Burst, beginBurst, isOver, judgeBurst } from './burst.js';
import { type Due, describeDue, hasDeparture, nextDue } from './due.js';
import { type Need, type NeedOptions, needOf } from './need.js';
import { batchNanosFor, sleepFor } from './pace.js';
import { DEAREST_PAGE_NANOS, type Mark, markOf, progressBetween } from './progress.js';
import { type Settling, describeSettling, nextSettling } from './settling.js';

export interface AdvisorOptions extends NeedOptions {
  /** KSM_CPU_MAX: advisor_max_cpu, percent of one core from 1 to 100. */
  readonly cpuMaxPercent: number;
}

/** What the policy advisor remembers. */
export interface AdvisorMemory {
  readonly policy: 'advisor';
  readonly need: Pick<Need, 'needed' | 'urgent'>;
  readonly due: Due | undefined;
  readonly settling: Settling;
  readonly mark: Mark;
  /** What the passes since the last event brought; undefined while merging is not needed. */
  readonly burst: Burst | undefined;
  /** The advisor's target for a pass, in seconds. */
  readonly targetSeconds: number;
  /** When the advisor was last switched off to begin anew, milliseconds of the monotonic clock. */
  readonly restartedAtMillis: number;
  /** The dearest page so far, nanoseconds of ksmd's CPU time. */
  readonly pageNanos: number;
}

/** Time of a page in a pass with few merges, nanoseconds: what a target is estimated from. */
const USUAL_PAGE_NANOS = 2000;
const SHORTEST_TARGET_SECONDS = 5;
/** Calm lengthens the target by this factor with each pass in vain, up to an hour for a pass. */
const CALMER = 4;
const LONGEST_TARGET_SECONDS = 3600;
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
      const before = memory?.policy === 'advisor' ? memory : undefined;
      const need = needOf(sample, before?.need, options);
      const next = nextMemory(before, need, sample, triggers, options);
      const decision = decisionOf(next, need, sample, options);
      const restarts = decision.settings.advisorMode === 'none';
      return [restarts ? { ...next, restartedAtMillis: next.mark.monotonicMillis } : next, decision];
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
  const mark = markOf(sample);
  const becameNeeded = before?.need.needed === false ? 'memory has become short' : undefined;
  const came = nextDue(before?.due, triggers, sample.guests, becameNeeded);
  const settling = nextSettling(before?.settling ?? {}, sample.guests, triggers, mark.monotonicMillis);
  const waits = Object.keys(settling).length > 0 && !need.urgent;
  const targetSeconds = before?.targetSeconds ?? SHORTEST_TARGET_SECONDS;
  const common = {
    policy: 'advisor',
    ...{ need, settling, mark, targetSeconds },
    pageNanos: dearest(before, mark),
    restartedAtMillis: before?.restartedAtMillis ?? Number.NEGATIVE_INFINITY,
  } as const;
  if (!need.needed) return { ...common, due: undefined, burst: undefined };
  const starts = before?.burst === undefined && came === undefined;
  if ((came !== undefined && !waits) || starts) {
    const why = came === undefined ? 'memory is short' : describeDue(came);
    return {
      ...common,
      due: undefined,
      burst: beginBurst(mark, { why, hintShare: undefined, forced: false, thorough: false, hopedBytes: 0 }),
      targetSeconds: shortTarget(sample, options),
    };
  }
  const burst = before?.burst && judgeBurst(before.burst, mark, hasDeparture(triggers));
  const passed = burst !== undefined && burst.passes > (before?.burst?.passes ?? 0);
  const calmer = passed && isOver(burst) ? Math.min(targetSeconds * CALMER, LONGEST_TARGET_SECONDS) : targetSeconds;
  return { ...common, due: came, burst, targetSeconds: calmer };
}

function dearest(before: AdvisorMemory | undefined, mark: Mark): number {
  const progress = before && progressBetween(before.mark, mark);
  const known = before?.pageNanos ?? DEAREST_PAGE_NANOS;
  if (progress?.visitedPages === undefined || progress.visitedPages < LEAST_MEASURED_PAGES) return known;
  return Math.max(known, progress.cpuNanos / progress.visitedPages);
}

/** The time a pass takes at the budget. */
function shortTarget({ guests, pageSizeBytes }: Sample, { cpuMaxPercent }: AdvisorOptions): number {
  const seconds = ((residentBytesOf(guests) / pageSizeBytes) * USUAL_PAGE_NANOS) / 1e9 / (cpuMaxPercent / 100);
  return Math.min(Math.max(Math.ceil(seconds), SHORTEST_TARGET_SECONDS), LONGEST_TARGET_SECONDS);
}

/** The batch that the target asks for: after an event as much as the budget allows, in calm a pass within the target. */
function pagesFor({ pageNanos, targetSeconds, mark }: AdvisorMemory, calm: boolean, budget: number): number {
  const most = Math.max(Math.trunc(batchNanosFor(budget) / pageNanos), 1);
  const periodSeconds = (sleepFor(budget) + TICK_MILLIS) / 1000;
  const enough = Math.ceil((mark.pagesSeen * periodSeconds) / targetSeconds);
  return calm ? Math.min(Math.max(enough, 1), most) : most;
}

/** Whether the advisor, which is on, scans far less than it should after an event, or far more in calm. */
function isFarFrom(pages: number, { advisorMode, pagesToScan }: KsmState, calm: boolean): boolean {
  if (advisorMode !== 'scan-time') return false;
  return pagesToScan > pages * FAR || (!calm && pagesToScan < pages / FAR);
}

function decisionOf(memory: AdvisorMemory, need: Need, sample: Sample, options: AdvisorOptions): Decision {
  const { burst, due, targetSeconds, mark, settling } = memory;
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
  const calm = burst === undefined || isOver(burst);
  const pages = pagesFor(memory, calm, cpuMaxPercent / 100);
  const mayRestart = mark.monotonicMillis - memory.restartedAtMillis >= BURST_LOOK_MILLIS;
  const restarts = mayRestart && isFarFrom(pages, sample.ksm, calm);
  const settings: KsmSettings = {
    sleepMillisecs: sleepFor(cpuMaxPercent / 100),
    advisorMaxCpu: cpuMaxPercent,
    advisorMinPagesToScan: pages,
    advisorMaxPagesToScan: pages,
    advisorTargetScanTime: targetSeconds,
    advisorMode: restarts ? 'none' : 'scan-time',
    run: 1,
  };
  const saved = formatBytes(savedBytes(sample.ksm, sample.pageSizeBytes));
  const target = `the kernel's advisor aims at a pass in ${formatDuration(targetSeconds * 1000)}, at most ${cpuMaxPercent} % of a core`;
  const known = calm ? `nothing more to gain, ${saved} saved` : burst.why;
  const what = due === undefined ? known : describeSettling(settling);
  return {
    reason: 'advised',
    sentence: `${need.sentence}; ${what}: ${target}`,
    settings,
    nextInMillis: restarts ? RESTART_MILLIS : calm ? LOOK_MILLIS : BURST_LOOK_MILLIS,
    routine: burst !== undefined && burst.begin.monotonicMillis !== mark.monotonicMillis,
    working: {
      ...need.working,
      terms: [
        ...need.working.terms,
        { name: 'CPU budget', value: cpuMaxPercent, unit: 'percent', source: 'KSM_CPU_MAX, of one core' },
        {
          name: 'target',
          value: targetSeconds * 1000,
          unit: 'milliseconds',
          source: 'four times as long after each pass in vain',
        },
      ],
      keys,
    },
  };
}
