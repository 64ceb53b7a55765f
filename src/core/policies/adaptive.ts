import { residentBytesOf } from '../guest.js';
import type { Policy, Trigger } from '../policy.js';
import type { Sample } from '../sample.js';
import { decisionOf } from './adaptiveDecision.js';
import { type Burst, beginBurst, isBlind, isOver, judgeBurst } from './burst.js';
import { type Due, describeDue, hasDeparture, nextDue } from './due.js';
import { type Need, type NeedOptions, needOf } from './need.js';
import { newOccasion } from './occasion.js';
import { type Pace, firstPace, nextPace, restingPace } from './pace.js';
import {
  type Probe,
  type Probing,
  type ProbeResult,
  afterBurst,
  afterVainHint,
  beginProbe,
  creditInMillis,
  earn,
  firstProbing,
  nextProbeAt,
  probeResult,
} from './probe.js';
import { type Mark, type Progress, isWorthIt, markOf, progressBetween } from './progress.js';
import { type Settling, isPatient, nextSettling } from './settling.js';

export interface AdaptiveOptions extends NeedOptions {
  /** KSM_CPU_MAX: what ksmd may use of one core while there is something to gain, percent from 1 to 100. */
  readonly cpuMaxPercent: number;
  /** Whether smart_scan is the policy's to set: KSM_SMART_SCAN says nothing of it. */
  readonly ownsSmartScan: boolean;
  /** KSM_PROBE_MAX: the longest time between two probes, milliseconds. */
  readonly probeMaxMillis: number;
}

/** ksmd rests: what passes brought, and when it looks again. */
export interface Watch {
  readonly name: 'watch';
  readonly probeAtMillis: number;
  /** The last burst; undefined before the first. */
  readonly last: Burst | undefined;
}

export type Phase =
  | { readonly name: 'rest' }
  /** Guests fill their memory. */
  | { readonly name: 'settle'; readonly sinceMillis: number }
  | Burst
  | Watch
  | (Probe & Pick<Watch, 'last'>);

export interface AdaptiveMemory {
  readonly policy: 'adaptive';
  readonly need: Pick<Need, 'needed' | 'urgent'>;
  readonly phase: Phase;
  readonly due: Due | undefined;
  readonly settling: Settling;
  /** The last look. */
  readonly mark: Mark;
  readonly pace: Pace;
  readonly probing: Probing;
}

/** Some task waits for a CPU for more than this part of the time: guests come up, and ksmd would be in their way. */
const BUSY_SHARE = 0.25;

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
      const next = nextMemory(memory?.policy === 'adaptive' ? memory : undefined, sample, triggers, options);
      return [next.memory, decisionOf(next.memory, next.need, sample, options)];
    },
  };
}

function nextMemory(
  before: AdaptiveMemory | undefined,
  sample: Sample,
  triggers: readonly Trigger[],
  options: AdaptiveOptions,
): { memory: AdaptiveMemory; need: Need } {
  const { probeMaxMillis } = options;
  const budget = options.cpuMaxPercent / 100;
  const need = needOf(sample, before?.need, options);
  const mark = withCpuTime(markOf(sample), before, budget);
  const progress = before && progressBetween(before.mark, mark);
  const settling = nextSettling(before?.settling ?? {}, sample.guests, triggers, mark.monotonicMillis);
  const came = nextDue(before?.due, triggers, sample.guests, newOccasion(before, need, mark, triggers));
  const phaseBefore = before?.phase ?? { name: 'rest' };
  const probing = before?.probing ?? firstProbing(probeMaxMillis, false);
  const situation: Situation = {
    sample,
    need,
    mark,
    due: need.needed ? came : undefined,
    settling,
    disturbed: hasDeparture(triggers),
    busyShare: progress === undefined ? 0 : progress.stalledNanos / 1e6 / Math.max(progress.elapsedMillis, 1),
    probing: isScanning(phaseBefore) || progress === undefined ? probing : earn(probing, progress, probeMaxMillis),
    probeMaxMillis,
  };
  const { phase, ...changed } = nextPhase(phaseBefore, situation);
  const ran = isScanning(phaseBefore) && sample.ksm.run === 1;
  return {
    need,
    memory: {
      policy: 'adaptive',
      need,
      settling,
      mark,
      phase,
      due: changed.due,
      probing: changed.probing,
      pace: paceOf(before?.pace ?? firstPace(budget), ran && isScanning(phase), progress, budget),
    },
  };
}

/** Where neither ksmd's CPU time nor its pages can be seen, it is taken to use its budget. */
function withCpuTime(mark: Mark, before: AdaptiveMemory | undefined, budget: number): Mark {
  if (mark.cpuNanos !== undefined || mark.pagesVisited !== undefined) return mark;
  const { monotonicMillis } = mark;
  const ranMillis =
    before !== undefined && isScanning(before.phase) ? monotonicMillis - before.mark.monotonicMillis : 0;
  return { ...mark, cpuNanos: (before?.mark.cpuNanos ?? 0) + budget * Math.max(ranMillis, 0) * 1e6 };
}

function paceOf(pace: Pace, ranOn: boolean, progress: Progress | undefined, budget: number): Pace {
  if (progress === undefined) return { ...firstPace(budget), owedNanos: pace.owedNanos };
  return ranOn ? nextPace(pace, progress, budget) : restingPace(pace, progress, budget);
}

export function isScanning({ name }: Phase): boolean {
  return name === 'burst' || name === 'probe';
}

/** Everything that the next phase depends on. */
interface Situation {
  readonly sample: Sample;
  readonly need: Need;
  readonly mark: Mark;
  readonly due: Due | undefined;
  readonly settling: Settling;
  readonly disturbed: boolean;
  /** Part of the time since the last look in which some task waited for a CPU. */
  readonly busyShare: number;
  readonly probing: Probing;
  readonly probeMaxMillis: number;
}

interface Next {
  readonly phase: Phase;
  readonly due: Due | undefined;
  readonly probing: Probing;
}

function nextPhase(phase: Phase, situation: Situation): Next {
  const { need, mark, due, probing, probeMaxMillis, disturbed, sample } = situation;
  if (!need.needed) return { phase: { name: 'rest' }, due: undefined, probing };
  if (due !== undefined) return nextWhenDue(phase, due, situation);
  switch (phase.name) {
    case 'burst': {
      const burst = judgeBurst(phase, mark, disturbed);
      const isDone = isOver(burst) || (sample.ksm.run === 1 && isBlind(burst, mark));
      return isDone ? endOfBurst(burst, situation) : { phase: burst, due, probing };
    }
    case 'probe': {
      const { pageSizeBytes } = sample;
      const result = probeResult(phase, mark, probing, {
        pageSizeBytes,
        everyPage: seesEveryPage(sample),
        probeMaxMillis,
      });
      if (result.found === 'more') return { phase, due, probing };
      if (result.found !== 'nothing') return { phase: burstAfterProbe(result, mark), due, probing };
      return { phase: watch(mark, result.probing, phase.last, probeMaxMillis), due, probing: result.probing };
    }
    case 'watch': {
      const soonest = watch(mark, probing, phase.last, probeMaxMillis);
      // ksmd forgets a guest that has gone, and its pages, only when it runs.
      const probeAtMillis = disturbed ? mark.monotonicMillis : Math.min(phase.probeAtMillis, soonest.probeAtMillis);
      const isDue = mark.monotonicMillis >= probeAtMillis && creditInMillis(probing, probeMaxMillis) === 0;
      if (!isDue) return { phase: { ...phase, probeAtMillis }, due, probing };
      return { phase: { name: 'probe', begin: mark, last: phase.last }, due, probing: beginProbe(probing, mark) };
    }
    default:
      return { phase: watch(mark, probing, undefined, probeMaxMillis), due, probing };
  }
}

/** Guests that are coming up are waited for, unless memory is nearly out or they take too long. */
function nextWhenDue(phase: Phase, due: Due, situation: Situation): Next {
  const { sample, need, mark, settling, busyShare, disturbed, probing } = situation;
  const now = mark.monotonicMillis;
  const growing = Object.keys(settling).length > 0;
  const burst = phase.name === 'burst' ? phase : undefined;
  const busy = due.guests.length > 0 && busyShare > BUSY_SHARE;
  const sinceMillis = phase.name === 'settle' ? phase.sinceMillis : now;
  const waits = (growing || busy) && !need.urgent && isPatient(sinceMillis, now);
  if (burst?.forced === true && growing) {
    const judged = judgeBurst(burst, mark, disturbed);
    return isOver(judged) ? { ...endOfBurst(judged, situation), due } : { phase: judged, due, probing };
  }
  if (waits) {
    const interrupted = burst === undefined ? due : { ...due, other: due.other ?? burst.why };
    return { phase: { name: 'settle', sinceMillis }, due: interrupted, probing };
  }
  const parts = { why: describeDue(due), hintShare: undefined, forced: growing, thorough: false };
  const hopedBytes = hopeOf(due, sample);
  return { phase: beginBurst(mark, { ...parts, hopedBytes }), due: undefined, probing };
}

function seesEveryPage({ ksm }: Sample): boolean {
  return ksm.smartScan !== 1;
}

/** What a burst may bring at most, bytes: the memory that came, or all where nobody knows. */
function hopeOf({ guests, everything }: Due, sample: Sample): number {
  return residentBytesOf(everything ? sample.guests : sample.guests.filter(({ name }) => guests.includes(name)));
}

function burstAfterProbe(result: Extract<ProbeResult, { found: 'gain' | 'change' }>, mark: Mark): Burst {
  const common = { forced: false, thorough: true, hopedBytes: 0 };
  if (result.found === 'change') {
    const why = `a probe found ${result.changedPages} pages that had changed`;
    return beginBurst(mark, { ...common, why, hintShare: result.share });
  }
  return beginBurst(mark, { ...common, why: 'a probe found pages to merge', hintShare: 0 });
}

function endOfBurst(burst: Burst, { sample, mark, probing, probeMaxMillis }: Situation): Next {
  const all = progressBetween(burst.begin, mark);
  const inVain = all === undefined || !isWorthIt(all);
  const next =
    inVain && burst.hintShare !== undefined
      ? afterVainHint(probing, all?.cpuNanos ?? 0, burst.hintShare, probeMaxMillis)
      : afterBurst(probing, seesEveryPage(sample) || burst.skippedPages === 0, probeMaxMillis);
  const probes = mark.profitBytes < 0 ? { ...next, gapMillis: probeMaxMillis } : next;
  return { phase: watch(mark, probes, { ...burst, pass: mark }, probeMaxMillis), due: undefined, probing: probes };
}

function watch(mark: Mark, probing: Probing, last: Burst | undefined, probeMaxMillis: number): Watch {
  return { name: 'watch', probeAtMillis: nextProbeAt(probing, mark, probeMaxMillis), last };
}
