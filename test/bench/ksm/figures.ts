import { type CurvePoint, firstReach } from '../../../src/simulation/curve.js';
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
  /** Saved at the end. */
  readonly savedBytes: number;
  /** The same, as a share of the gain; undefined where there is nothing to gain. */
  readonly reachedShare: number | undefined;
  readonly calmKsmdCpuMillis: number;
  readonly calmMillis: number;
  readonly busiestPercent: number;
}

const WINDOW_MILLIS = 10_000;

/** `gainBytes` is what there is to save beyond what is saved at the beginning. */
export function figuresOf(curve: readonly CurvePoint[], course: Course, gainBytes: number): Figures {
  const { beginMillis, zeroMillis, calmMillis } = course;
  const begin = atTime(curve, beginMillis);
  const since = curve.filter(({ atMillis }) => atMillis >= beginMillis);
  const end = since.at(-1) ?? begin;
  const to = (share: number): Reach | undefined => {
    const point = gainBytes > 0 ? firstReach(since, begin.savedBytes + share * gainBytes) : undefined;
    if (point === undefined) return undefined;
    return {
      millis: Math.max(point.atMillis - zeroMillis, 0),
      sinceBeginMillis: point.atMillis - beginMillis,
      ksmdCpuMillis: (point.ksmdCpuNanos - begin.ksmdCpuNanos) / 1e6,
    };
  };
  const [calmBegin, calmEnd] = calmMillis.map((millis) => atTime(curve, millis)) as [CurvePoint, CurvePoint];
  return {
    to50: to(0.5),
    to90: to(0.9),
    to99: to(0.99),
    savedBytes: end.savedBytes,
    reachedShare: gainBytes > 0 ? (end.savedBytes - begin.savedBytes) / gainBytes : undefined,
    calmKsmdCpuMillis: (calmEnd.ksmdCpuNanos - calmBegin.ksmdCpuNanos) / 1e6,
    calmMillis: calmEnd.atMillis - calmBegin.atMillis,
    busiestPercent: busiestPercent(since, WINDOW_MILLIS),
  };
}
