import type { Decision } from '../../decision.js';
import { formatDuration } from '../../duration.js';
import { formatBytes } from '../../format.js';
import type { KsmSettings, KsmState } from '../../ksm.js';
import type { Sample } from '../../sample.js';
import type { Need } from '../shared/need.js';
import { batchNanosFor, sleepFor } from '../shared/pace.js';
import { savingsTerms } from '../shared/savingsTerms.js';
import { describeSettling, longestWaitMillis } from '../shared/settling.js';
import { stageOfBurst, stageOfWaiting } from '../shared/stage.js';
import type { AdvisorMemory, AdvisorOptions } from './memory.js';

/** What the kernel's rounding adds to ksmd's sleep, about. */
const TICK_MILLIS = 4;
const FAR = 2;
const RESTART_MILLIS = 50;
const BURST_LOOK_MILLIS = 2000;
const LOOK_MILLIS = 10_000;

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

/** What a memory leads to, with its reason. */
export function decisionOf(memory: AdvisorMemory, need: Need, sample: Sample, options: AdvisorOptions): Decision {
  const { phase, due, targetSeconds, counters, settling } = memory;
  const { cpuMaxPercent } = options;
  const keys = [...need.working.keys, 'KSM_CPU_MAX'];
  if (!need.needed) {
    return {
      reason: 'enough-memory',
      sentence: `${need.sentence}: not merging`,
      settings: { run: 0 },
      nextInMillis: LOOK_MILLIS,
      working: { ...need.working, terms: [...need.working.terms, ...savingsTerms(sample)], keys },
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
        : due === undefined
          ? { name: 'done' }
          : stageOfWaiting(longestWaitMillis(settling, counters.monotonicMillis)),
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
        ...savingsTerms(sample),
      ],
      keys,
    },
  };
}
