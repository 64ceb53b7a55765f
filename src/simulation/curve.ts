/** A moment of a run; times may be on any clock that goes evenly. */
export interface CurvePoint {
  readonly atMillis: number;
  readonly savedBytes: number;
  /** ksmd's CPU time so far. */
  readonly ksmdCpuNanos: number;
}

/** What the points say of a moment between two of them: on the straight line. */
export function between(before: CurvePoint, after: CurvePoint, part: number): CurvePoint {
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

/** ksmd's share of a core, in percent. */
export function cpuPercent(
  begin: Pick<CurvePoint, 'atMillis' | 'ksmdCpuNanos'>,
  end: Pick<CurvePoint, 'atMillis' | 'ksmdCpuNanos'>,
): number {
  return (end.ksmdCpuNanos - begin.ksmdCpuNanos) / (end.atMillis - begin.atMillis) / 1e4;
}
