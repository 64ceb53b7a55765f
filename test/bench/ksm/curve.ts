import { type CurvePoint, between, cpuPercent } from '../../../src/simulation/curve.js';

/** @throws RangeError for a curve without a point. */
export function atTime(curve: readonly CurvePoint[], atMillis: number): CurvePoint {
  const index = curve.findIndex((point) => point.atMillis >= atMillis);
  const after = curve[index] ?? curve.at(-1);
  if (after === undefined) throw new RangeError('a curve without a point');
  const before = curve[index - 1];
  if (before === undefined) return after;
  return between(before, after, (atMillis - before.atMillis) / (after.atMillis - before.atMillis));
}

/** ksmd's highest share of a core over a stretch so long, or over the whole curve if that is shorter, in percent. */
export function busiestPercent(curve: readonly CurvePoint[], windowMillis: number): number {
  const [first, last] = [curve[0], curve.at(-1)];
  if (first === undefined || last === undefined || first.atMillis === last.atMillis) return 0;
  if (last.atMillis - first.atMillis < windowMillis) return cpuPercent(first, last);
  const ends = curve.filter(({ atMillis }) => atMillis - first.atMillis >= windowMillis);
  return Math.max(...ends.map((end) => cpuPercent(atTime(curve, end.atMillis - windowMillis), end)));
}
