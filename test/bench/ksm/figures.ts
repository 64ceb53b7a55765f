import { type CurvePoint, cpuPercent, firstReach } from '../../../src/simulation/curve.js';
import { atTime, busiestPercent } from './curve.js';

/** What a tuner's own processes used. */
export interface Usage {
  readonly cpuMillis: number;
  readonly residentBytes: number;
}

/** When what happened, on the curve's clock. */
export interface Course {
  /** What the scenario does was begun: what is saved then is what the gain comes on top of. */
  readonly beginMillis: number;
  /** From when on times are told. */
  readonly zeroMillis: number;
  /** The calm after the gain: its beginning and its end. */
  readonly calmMillis: readonly [number, number];
}

/** A time told twice, and ksmd's CPU time until then. */
export interface Reach {
  /** From the clock's start; 0 if it was before. */
  readonly millis: number;
  /** From the beginning of what the scenario does. */
  readonly sinceBeginMillis: number;
  readonly ksmdCpuMillis: number;
}

export interface Figures {
  /** What was not reached, or where there is nothing to gain: undefined. */
  readonly to50: Reach | undefined;
  readonly to90: Reach | undefined;
  readonly to99: Reach | undefined;
  /** After the gain, or after it was first at work where there is nothing to gain: ksmd has come to rest. */
  readonly rest: Reach | undefined;
  /** ksmd's CPU time from the beginning of what the scenario does to the end. */
  readonly ksmdCpuMillis: number;
  /** What was saved beyond what was at the beginning, summed up over the seconds from the clock's start to the end. */
  readonly integralByteSeconds: number;
  /** Saved at the end. */
  readonly savedBytes: number;
  /** The same, as a share of the gain; undefined where there is nothing to gain. */
  readonly reachedShare: number | undefined;
  readonly calmKsmdCpuMillis: number;
  readonly calmMillis: number;
  readonly busiestPercent: number;
}

const WINDOW_MILLIS = 10_000;
/** ksmd is at rest when it takes less than this of a core for so long. */
const REST_PERCENT = 1;
const REST_MILLIS = 10_000;

/** `gainBytes` is what there is to save beyond what is saved at the beginning. */
export function figuresOf(curve: readonly CurvePoint[], course: Course, gainBytes: number): Figures {
  const { beginMillis, zeroMillis, calmMillis } = course;
  const begin = atTime(curve, beginMillis);
  const since = curve.filter(({ atMillis }) => atMillis >= beginMillis);
  const end = since.at(-1) ?? begin;
  const reach = (point: CurvePoint | undefined): Reach | undefined =>
    point && {
      millis: Math.max(point.atMillis - zeroMillis, 0),
      sinceBeginMillis: point.atMillis - beginMillis,
      ksmdCpuMillis: (point.ksmdCpuNanos - begin.ksmdCpuNanos) / 1e6,
    };
  const pointAt = (share: number) =>
    gainBytes > 0 ? firstReach(since, begin.savedBytes + share * gainBytes) : undefined;
  const to = (share: number) => reach(pointAt(share));
  const worked = gainBytes > 0 ? pointAt(0.9) : since.find((point) => !isAtRest(since, point));
  const rest = worked && since.find((point) => point.atMillis >= worked.atMillis && isAtRest(since, point));
  const [calmBegin, calmEnd] = calmMillis.map((millis) => atTime(curve, millis)) as [CurvePoint, CurvePoint];
  return {
    to50: to(0.5),
    to90: to(0.9),
    to99: to(0.99),
    rest: reach(rest),
    ksmdCpuMillis: (end.ksmdCpuNanos - begin.ksmdCpuNanos) / 1e6,
    integralByteSeconds: integral(since, zeroMillis, begin.savedBytes),
    savedBytes: end.savedBytes,
    reachedShare: gainBytes > 0 ? (end.savedBytes - begin.savedBytes) / gainBytes : undefined,
    calmKsmdCpuMillis: (calmEnd.ksmdCpuNanos - calmBegin.ksmdCpuNanos) / 1e6,
    calmMillis: calmEnd.atMillis - calmBegin.atMillis,
    busiestPercent: busiestPercent(since, WINDOW_MILLIS),
  };
}

/** From this point on; false where the curve ends before that can be said. */
function isAtRest(curve: readonly CurvePoint[], point: CurvePoint): boolean {
  const untilMillis = point.atMillis + REST_MILLIS;
  const last = curve.at(-1);
  if (last === undefined || last.atMillis < untilMillis) return false;
  return cpuPercent(point, atTime(curve, untilMillis)) < REST_PERCENT;
}

/** Saved bytes times seconds, from this time on: the line between two points is what was there between. */
export function integral(curve: readonly CurvePoint[], fromMillis: number, baseBytes: number): number {
  const points = [atTime(curve, fromMillis), ...curve.filter(({ atMillis }) => atMillis > fromMillis)];
  return points.reduce((sum, { atMillis, savedBytes }, index) => {
    const before = points[index - 1];
    if (before === undefined) return sum;
    return sum + ((before.savedBytes + savedBytes) / 2 - baseBytes) * ((atMillis - before.atMillis) / 1000);
  }, 0);
}
