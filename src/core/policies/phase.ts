import { residentBytesOf } from '../guest.js';
import type { Sample } from '../sample.js';
import { type Burst, beginBurst, extendBurst, isBlind, isOver, judgeBurst, vainNanosOf } from './burst.js';
import { type Due, describeDue } from './due.js';
import type { Need } from './need.js';
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
import { PRESSURE_WAIT_MILLIS } from './occasion.js';
import { type Mark, isWorthIt, progressBetween, worthOf } from './progress.js';
import { isPatient } from './settling.js';

/** What a burst waits for before it begins, or goes on. */
interface Settle {
  readonly name: 'settle';
  readonly sinceMillis: number;
  /** Guests that came fill their memory, keep the CPUs busy, or come one after another. */
  readonly waitsFor: 'growth' | 'cpu' | 'more';
  /** When the last of them came. */
  readonly cameMillis: number;
  /** What they interrupted. */
  readonly before: Burst | Watch | undefined;
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
  readonly due: Due | undefined;
  readonly dueSinceMillis: number;
  /** How often the worth of a burst guests that came must promise: doubled by each for guests, until one was worth it. */
  readonly demand: number;
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
  readonly mark: Mark;
  readonly arrived: boolean;
  readonly departed: boolean;
  /** Whether guests that came are still filling their memory. */
  readonly growing: boolean;
  /** Part of the time since the last look in which some task waited for a CPU. */
  readonly busyShare: number;
  readonly probeMaxMillis: number;
}

/** Some task waits for a CPU for more than this part of the time: guests come up, and ksmd would be in their way. */
const BUSY_SHARE = 0.25;
/** Guests that brought little wait for more until a burst for them takes no more than this part of a core on average. */
const LOOK_SHARE = 0.05;
/**
 * Guests that come within this time of each other come one after another: one burst is for all of them, but for the first,
 * and where memory has not been gone through yet.
 */
const LULL_MILLIS = 60_000;

export function isScanning({ name }: Phase): boolean {
  return name === 'burst' || name === 'probe';
}

export function nextCourse(course: Course, situation: Situation): Course {
  const { need, mark, departed, growing, probeMaxMillis } = situation;
  const { phase, due, probing } = course;
  if (!need.needed) return { ...course, phase: { name: 'rest' }, due: undefined };
  const before = phase.name === 'settle' ? phase.before : phase;
  const burst = before?.name === 'burst' ? judgeBurst(before, mark, departed) : undefined;
  const goesOn = phase.name === 'burst' && phase.forced && growing;
  if (due !== undefined && !goesOn) {
    const held = burst ?? (before?.name === 'watch' ? before : undefined);
    const settle = settleFor(due, held, course, situation);
    if (settle !== undefined) return { ...course, phase: settle };
    if (!isTooLittle(due, course, situation)) {
      const demand = due.guests.length > 0 ? 2 * course.demand : course.demand;
      return { ...course, phase: burstFor(due, burst, situation), due: undefined, demand };
    }
  }
  if (burst !== undefined) return afterLook(burst, course, situation);
  switch (before?.name) {
    case 'probe':
      return afterProbing(before, course, situation);
    case 'watch': {
      // ksmd forgets a guest that has gone, and its pages, only when it runs.
      const soonest = departed ? mark.monotonicMillis : nextProbeAt(probing, mark, probeMaxMillis);
      const probeAtMillis = Math.min(before.probeAtMillis, soonest);
      const isDue = mark.monotonicMillis >= probeAtMillis && creditInMillis(probing, probeMaxMillis) === 0;
      if (!isDue) return { ...course, phase: { name: 'watch', probeAtMillis } };
      return { ...course, phase: { name: 'probe', begin: mark }, probing: beginProbe(probing, mark) };
    }
    default:
      return watching(course, situation);
  }
}

/** Guests that are coming up are waited for, unless memory is nearly out or they take too long. */
function settleFor(due: Due, held: Settle['before'], course: Course, situation: Situation): Settle | undefined {
  const { need, mark, arrived, growing, busyShare } = situation;
  const now = mark.monotonicMillis;
  const settling = course.phase.name === 'settle' ? course.phase : undefined;
  const sinceMillis = settling?.sinceMillis ?? now;
  if (need.urgent || !isPatient(sinceMillis, now)) return undefined;
  const cameMillis = arrived ? now : (settling?.cameMillis ?? now);
  const settle = { name: 'settle', sinceMillis, cameMillis, before: held } as const;
  if (growing) return { ...settle, waitsFor: 'growth' };
  if (due.guests.length === 0 || isTooLittle(due, course, situation)) return undefined;
  if (busyShare > BUSY_SHARE) return { ...settle, waitsFor: 'cpu' };
  const isKnown = held?.name === 'burst' && (course.last !== undefined || held.passes > 1);
  const moreMayCome = isKnown && due.other === undefined && now - cameMillis < LULL_MILLIS;
  return moreMayCome ? { ...settle, waitsFor: 'more' } : undefined;
}

/** Whether guests brought too little to go through all memory for: more of them may come, or a probe finds theirs. */
function isTooLittle(due: Due, course: Course, { need, sample, mark }: Situation): boolean {
  if (due.other !== undefined || need.urgent || hopeOf(due, sample) >= wantedBytes(course, mark)) return false;
  return mark.monotonicMillis - course.dueSinceMillis < vainNanosOf(mark) / 1e6 / LOOK_SHARE;
}

/** What guests must bring for a burst to begin, bytes. */
export function wantedBytes({ demand }: Pick<Course, 'demand'>, mark: Mark): number {
  return demand * worthOf(vainNanosOf(mark));
}

/** What a burst may bring at most, bytes: the memory that came, or all where nobody knows. */
export function hopeOf({ guests, everything }: Due, sample: Sample): number {
  return residentBytesOf(everything ? sample.guests : sample.guests.filter(({ name }) => guests.includes(name)));
}

function burstFor(due: Due, burst: Burst | undefined, { mark, sample, growing }: Situation): Burst {
  const hopedBytes = hopeOf(due, sample);
  if (burst !== undefined && due.other === undefined) return extendBurst(burst, growing, hopedBytes);
  const parts = { hintShare: undefined, forced: growing, thorough: false, hopedBytes };
  return beginBurst(mark, { why: describeDue(due), ...parts });
}

function afterLook(burst: Burst, course: Course, situation: Situation): Course {
  const { sample, mark, probeMaxMillis } = situation;
  const isDone = isOver(burst) || (sample.ksm.run === 1 && isBlind(burst, mark));
  if (!isDone) return { ...course, phase: burst };

  const all = progressBetween(burst.begin, mark);
  const inVain = all === undefined || !isWorthIt(all);
  const next =
    inVain && burst.hintShare !== undefined
      ? afterVainHint(course.probing, all?.cpuNanos ?? 0, burst.hintShare, probeMaxMillis)
      : afterBurst(course.probing, seesEveryPage(sample) || burst.skippedPages === 0, probeMaxMillis);
  const longestWaitMillis = Math.max(longestDebtMillis(probeMaxMillis), PRESSURE_WAIT_MILLIS);
  const ended: Course = {
    ...course,
    demand: inVain ? course.demand : 1,
    probing: mark.profitBytes < 0 ? { ...next, gapMillis: probeMaxMillis } : next,
    last: { ...burst, pass: mark },
    pressureWaitMillis: inVain ? Math.min(2 * course.pressureWaitMillis, longestWaitMillis) : PRESSURE_WAIT_MILLIS,
  };
  return watching(ended, situation);
}

function afterProbing(phase: Probe, course: Course, situation: Situation): Course {
  const { sample, mark, probeMaxMillis } = situation;
  const settings = { pageSizeBytes: sample.pageSizeBytes, everyPage: seesEveryPage(sample), probeMaxMillis };
  const result = probeResult(phase, mark, course.probing, settings);
  switch (result.found) {
    case 'more':
      return course;
    case 'nothing':
      return watching({ ...course, probing: result.probing }, situation);
    default:
      return { ...course, phase: burstAfterProbe(result, mark), due: undefined };
  }
}

function burstAfterProbe(result: Extract<ProbeResult, { found: 'gain' | 'change' }>, mark: Mark): Burst {
  const common = { forced: false, thorough: true, hopedBytes: 0 };
  if (result.found === 'change') {
    const why = `a probe found ${result.changedPages} pages that had changed`;
    return beginBurst(mark, { ...common, why, hintShare: result.share });
  }
  return beginBurst(mark, { ...common, why: 'a probe found pages to merge', hintShare: 0 });
}

function watching(course: Course, { mark, probeMaxMillis }: Situation): Course {
  return { ...course, phase: { name: 'watch', probeAtMillis: nextProbeAt(course.probing, mark, probeMaxMillis) } };
}

function seesEveryPage({ ksm }: Sample): boolean {
  return ksm.smartScan !== 1;
}
