/** A moment of a run; times may be on any clock that goes evenly. */
export interface CurvePoint {
  readonly atMillis: number;
  readonly savedBytes: number;
  /** ksmd's CPU time so far. */
  readonly ksmdCpuNanos: number;
}

/** What the points say of a moment between two of them: on the straight line. */
function between(before: CurvePoint, after: CurvePoint, part: number): CurvePoint {
  const at = (from: number, to: number) => from + part * (to - from);
  return {
    atMillis: at(before.atMillis, after.atMillis),
    savedBytes: at(before.savedBytes, after.savedBytes),
    ksmdCpuNanos: at(before.ksmdCpuNanos, after.ksmdCpuNanos),
  };
}

/** When so much was saved for the first time; undefined if it never was. */
export function firstReach(curve: readonly CurvePoint[], savedBytes: number): CurvePoint | undefined {
  const index = curve.findIndex((point) => point.savedBytes >= savedBytes);
  const after = curve[index];
  const before = curve[index - 1];
  if (after === undefined || before === undefined) return after;
  return between(before, after, (savedBytes - before.savedBytes) / (after.savedBytes - before.savedBytes));
}

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

/** ksmd's share of a core, in percent. */
export function cpuPercent(begin: CurvePoint, end: CurvePoint): number {
  return (end.ksmdCpuNanos - begin.ksmdCpuNanos) / (end.atMillis - begin.atMillis) / 1e4;
}
