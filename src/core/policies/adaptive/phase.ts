import { guestId, residentBytesOf } from '../../guest.js';
import type { Sample } from '../../sample.js';
import {
  type Burst,
  beginBurst,
  extendBurst,
  isBlind,
  isOver,
  judgeBurst,
  mergingNanosOf,
  passesToMerge,
} from '../shared/burst.js';
import { PRESSURE_WAIT_MILLIS, describeScanCause, ripeAndLater, type ScanCause } from '../shared/cause.js';
import type { Need } from '../shared/need.js';
import {
  type Probe,
  type Probing,
  type ProbeResult,
  afterBurst,
  afterVainHint,
  beginProbe,
  creditInMillis,
  longestDebtMillis,
  nextProbeAt,
  probeResult,
} from './probe.js';
import { type KsmdCounters, UNSHARED_PAGE_NANOS, isWorthIt, progressBetween, worthOf } from '../shared/progress.js';
import { PATIENCE_MILLIS } from '../shared/settling.js';

// The words of this folder:
//   burst    ksmd scans all memory within the budget, until another pass is not worth its CPU time.
//   settle   memory is not scanned before its guest has stopped growing; "ripe" is what has settled.
//   watch    ksmd rests and probes follow one another; "rest" is the phase in which no merging is needed.
//   probe    ksmd scans a little memory and counts changed pages; "thorough": without smart_scan, so that it sees them all.
//   lap      the probes from one end of memory to the other.
//   hint     as many changed pages as start a burst; one that gained nothing makes the next need more.
//   vain     what gained nothing: a pass, a hint, a burst.
//   debt     CPU time of a burst that a hint started for nothing, paid back out of the probes' share of a core.
//   course   the policy's state from one retune to the next.

/** What a burst waits for before it begins. */
export interface Settle {
  readonly name: 'settle';
  /** Memory that could be gone through now, and until when at most it waits; undefined when there is none. */
  readonly ripe: { readonly bytes: number; readonly untilMillis: number } | undefined;
  /** What goes on meanwhile. */
  readonly before: Watch | undefined;
}

/** ksmd rests until it looks again. */
export interface Watch {
  readonly name: 'watch';
  readonly probeAtMillis: number;
}

export type Phase = { readonly name: 'rest' } | Settle | Burst | Watch | Probe;

/** Where the policy is, and what it knows from before. */
export interface Course {
  readonly phase: Phase;
  /** What memory is to be gone through for. */
  readonly due: ScanCause | undefined;
  readonly dueSinceMillis: number;
  /** Since when there is something due that could be gone through; undefined when there is nothing. */
  readonly ripeSinceMillis: number | undefined;
  /** How often the worth of a burst guests that came must promise: doubled by each for guests, until one was worth it. */
  readonly requiredGainFactor: number;
  readonly probing: Probing;
  /** The last burst that came to its end. */
  readonly last: Burst | undefined;
  /** For so long after it pressure is no reason for another, milliseconds; doubled by each that brought nothing. */
  readonly pressureWaitMillis: number;
}

/** What is now, and everything else that the next phase depends on. */
export interface Situation {
  readonly sample: Sample;
  readonly need: Pick<Need, 'needed' | 'urgent'>;
  readonly counters: KsmdCounters;
  readonly departed: boolean;
  /** Guests that are still filling their memory, by identity. */
  readonly growing: readonly string[];
  /** What ksmd may use, parts of a core. */
  readonly budget: number;
  readonly probeMaxMillis: number;
}

/** Guests that brought little wait for more until a burst for them takes no more than this part of a core on average. */
const LOOK_SHARE = 0.05;

export function isScanning({ name }: Phase): boolean {
  return name === 'burst' || name === 'probe';
}

export function nextCourse(last: Course, situation: Situation): Course {
  const { need, counters, departed, growing } = situation;
  const { phase, due } = last;
  if (!need.needed) return { ...last, phase: { name: 'rest' }, due: undefined, ripeSinceMillis: undefined };
  const before = phase.name === 'settle' ? phase.before : phase;
  const burst = before?.name === 'burst' ? judgeBurst(before, counters, departed) : undefined;
  const { ripe: settled, later } = ripeAndLater(due, growing);
  const ripe = need.urgent && burst === undefined ? due : settled;
  const ripeSinceMillis = ripe === undefined ? undefined : (last.ripeSinceMillis ?? counters.monotonicMillis);
  const course = { ...last, ripeSinceMillis };
  const isRipe = ripe !== undefined && !isTooLittle(ripe, course, situation);
  const settle =
    burst === undefined && due !== undefined ? settleFor(isRipe ? ripe : undefined, course, situation) : undefined;
  if (isRipe && settle === undefined) return begun(ripe, later, burst, course, situation);
  if (burst !== undefined) return afterLook(burst, course, situation);
  if (before?.name === 'probe' && !isRipe) return afterProbing(before, course, situation);
  const next = before?.name === 'watch' ? afterWatching(before, course, situation) : watching(course, situation);
  if (settle === undefined || next.phase.name !== 'watch') return next;
  return { ...course, phase: { ...settle, before: before?.name === 'watch' ? next.phase : undefined } };
}

/** ksmd goes through memory for what is due, and guests that are still filling theirs stay due. */
function begun(
  ripe: ScanCause,
  later: ScanCause | undefined,
  burst: Burst | undefined,
  course: Course,
  situation: Situation,
): Course {
  const { counters, sample } = situation;
  const hopedBytes = mostGainBytes(ripe, sample);
  if (burst !== undefined && ripe.other === undefined) {
    const sinceJoined = progressBetween(burst.joined, counters);
    const demand = sinceJoined !== undefined && isWorthIt(sinceJoined) ? 1 : 2 * course.requiredGainFactor;
    return {
      ...course,
      phase: extendBurst(burst, counters, hopedBytes),
      due: later,
      ripeSinceMillis: undefined,
      requiredGainFactor: demand,
    };
  }
  const parts = { why: describeScanCause(ripe, sample.guests), hintShare: undefined, thorough: false, hopedBytes };
  const demand = ripe.guests.length > 0 ? 2 * course.requiredGainFactor : course.requiredGainFactor;
  return {
    ...course,
    phase: beginBurst(counters, parts),
    due: later,
    ripeSinceMillis: undefined,
    requiredGainFactor: demand,
  };
}

function afterWatching(watch: Watch, course: Course, situation: Situation): Course {
  const { counters, departed, probeMaxMillis } = situation;
  const { probing } = course;
  // ksmd forgets a guest that has gone, and its pages, only when it runs.
  const soonest = departed ? counters.monotonicMillis : nextProbeAt(probing, counters, probeMaxMillis);
  const probeAtMillis = Math.min(watch.probeAtMillis, soonest);
  const isDue = counters.monotonicMillis >= probeAtMillis && creditInMillis(probing, probeMaxMillis) === 0;
  if (!isDue) return { ...course, phase: { name: 'watch', probeAtMillis } };
  return { ...course, phase: { name: 'probe', begin: counters }, probing: beginProbe(probing, counters) };
}

/**
 * Guests that are coming up are waited for, so that memory is not gone through for each, but for no longer than going
 * through what has settled takes: what that saves comes at most twice as late as it could.
 *
 * @param ripe what could be gone through now.
 */
function settleFor(
  ripe: ScanCause | undefined,
  course: Course,
  situation: Situation,
): Omit<Settle, 'before'> | undefined {
  const { need, sample, counters, growing, budget } = situation;
  if (need.urgent) return undefined;
  const comingUp = sample.guests.filter((guest) => growing.includes(guestId(guest)));
  if (comingUp.length === 0) return undefined;
  if (ripe === undefined) return { name: 'settle', ripe };
  const settled = sample.guests.filter((guest) => !comingUp.includes(guest));
  const bytes = residentBytesOf(
    ripe.other === undefined ? settled.filter((guest) => ripe.guests.includes(guestId(guest))) : settled,
  );
  // A guest alone has nobody to share with.
  const longestMillis =
    settled.length > 1 ? passesMillis(bytes / sample.pageSizeBytes, counters, budget) : Number.POSITIVE_INFINITY;
  const { ripeSinceMillis = counters.monotonicMillis } = course;
  const untilMillis = ripeSinceMillis + Math.min(longestMillis, PATIENCE_MILLIS);
  return counters.monotonicMillis >= untilMillis ? undefined : { name: 'settle', ripe: { bytes, untilMillis } };
}

/** How long it takes to merge pages that nobody has seen yet. */
function passesMillis(pages: number, counters: KsmdCounters, budget: number): number {
  return (passesToMerge(counters) * pages * UNSHARED_PAGE_NANOS) / 1e6 / budget;
}

/** Whether guests brought too little to go through all memory for: more of them may come, or a probe finds theirs. */
function isTooLittle(due: ScanCause, course: Course, { need, sample, counters }: Situation): boolean {
  if (due.other !== undefined || need.urgent || mostGainBytes(due, sample) >= requiredGainBytes(course, counters))
    return false;
  return counters.monotonicMillis - course.dueSinceMillis < mergingNanosOf(counters) / 1e6 / LOOK_SHARE;
}

/** What guests must bring for a burst to begin, bytes. */
export function requiredGainBytes(
  { requiredGainFactor: demand }: Pick<Course, 'requiredGainFactor'>,
  counters: KsmdCounters,
): number {
  return demand * worthOf(mergingNanosOf(counters));
}

/** What a burst may bring at most, bytes: the memory that came, or all where nobody knows. */
export function mostGainBytes({ guests, everything }: ScanCause, sample: Sample): number {
  return residentBytesOf(everything ? sample.guests : sample.guests.filter((guest) => guests.includes(guestId(guest))));
}

function afterLook(burst: Burst, course: Course, situation: Situation): Course {
  const { sample, counters, probeMaxMillis } = situation;
  const isDone = isOver(burst) || (sample.ksm.run === 1 && isBlind(burst, counters));
  if (!isDone) return { ...course, phase: burst };

  const all = progressBetween(burst.begin, counters);
  const inVain = all === undefined || !isWorthIt(all);
  const next =
    inVain && burst.hintShare !== undefined
      ? afterVainHint(course.probing, all?.cpuNanos ?? 0, burst.hintShare, probeMaxMillis)
      : afterBurst(course.probing, seesEveryPage(sample) || burst.skippedPages === 0, probeMaxMillis);
  const longestWaitMillis = Math.max(longestDebtMillis(probeMaxMillis), PRESSURE_WAIT_MILLIS);
  const ended: Course = {
    ...course,
    requiredGainFactor: inVain ? course.requiredGainFactor : 1,
    probing: counters.profitBytes < 0 ? { ...next, gapMillis: probeMaxMillis } : next,
    last: { ...burst, pass: counters },
    pressureWaitMillis: inVain ? Math.min(2 * course.pressureWaitMillis, longestWaitMillis) : PRESSURE_WAIT_MILLIS,
  };
  return watching(ended, situation);
}

function afterProbing(phase: Probe, course: Course, situation: Situation): Course {
  const { sample, counters, probeMaxMillis } = situation;
  const settings = { pageSizeBytes: sample.pageSizeBytes, everyPage: seesEveryPage(sample), probeMaxMillis };
  const result = probeResult(phase, counters, course.probing, settings);
  switch (result.found) {
    case 'more':
      return course;
    case 'nothing':
      return watching({ ...course, probing: result.probing }, situation);
    default:
      return { ...course, phase: burstAfterProbe(result, counters), due: undefined };
  }
}

function burstAfterProbe(result: Extract<ProbeResult, { found: 'gain' | 'change' }>, counters: KsmdCounters): Burst {
  const common = { thorough: true, hopedBytes: 0 };
  if (result.found === 'change') {
    const why = `a probe found ${result.changedPages} pages that had changed`;
    return beginBurst(counters, { ...common, why, hintShare: result.share });
  }
  return beginBurst(counters, { ...common, why: 'a probe found pages to merge', hintShare: 0 });
}

function watching(course: Course, { counters, probeMaxMillis }: Situation): Course {
  return { ...course, phase: { name: 'watch', probeAtMillis: nextProbeAt(course.probing, counters, probeMaxMillis) } };
}

function seesEveryPage({ ksm }: Sample): boolean {
  return ksm.smartScan !== 1;
}
