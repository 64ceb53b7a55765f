import type { Sample } from '../../sample.js';
import { type Burst, beginBurst, extendBurst, isBlind, isOver, judgeBurst } from '../shared/burst.js';
import { PRESSURE_WAIT_MILLIS, describeScanCause, ripeAndLater, type ScanCause } from '../shared/cause.js';
import { type KsmdCounters, isWorthIt, progressBetween } from '../shared/progress.js';
import type { Course, Situation, Watch } from './phase.js';
import {
  type Probe,
  type ProbeResult,
  afterBurst,
  afterVainHint,
  beginProbe,
  creditInMillis,
  longestDebtMillis,
  nextProbeAt,
  probeResult,
} from './probe.js';
import { isTooLittle, mostGainBytes, settleFor } from './beforeBurst.js';

/** From the course that was to the one that the situation makes of it. */
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
