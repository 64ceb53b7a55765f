import type { HistorySample } from '../../core/history/record.js';
import { type Stretch, ksmdPercent } from '../../core/history/series.js';
import { coordinate } from '../../text/svg.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A stretch of time with the CPU that ksmd used in it, percent of a core. */
export interface CpuStep {
  readonly fromMillis: number;
  readonly toMillis: number;
  readonly percent: number;
}

/** One point a pixel: where samples lie closer, their mean. */
export function pointsOf(
  samples: readonly HistorySample[],
  x: (atMillis: number) => number,
  y: (sample: HistorySample) => number,
): readonly Point[] {
  const columns = new Map<number, Point[]>();
  for (const sample of samples) {
    const point = { x: x(sample.atMillis), y: y(sample) };
    const column = columns.get(Math.floor(point.x));
    if (column === undefined) columns.set(Math.floor(point.x), [point]);
    else column.push(point);
  }
  const mean = (points: readonly Point[], of: keyof Point) =>
    points.reduce((sum, point) => sum + point[of], 0) / points.length;
  return [...columns.values()].map((points) => ({ x: mean(points, 'x'), y: mean(points, 'y') }));
}

/** Stretches joined until each is at least so long, so that a chart has no more steps than pixels. */
export function cpuSteps(stretches: readonly Stretch[], leastMillis: number): readonly CpuStep[] {
  const steps: CpuStep[] = [];
  let joined: Stretch[] = [];
  const end = () => {
    const [first, last] = [joined[0], joined.at(-1)];
    const percent = ksmdPercent(joined);
    joined = [];
    if (first === undefined || last === undefined || percent === undefined) return;
    steps.push({ fromMillis: first.first.atMillis, toMillis: last.last.atMillis, percent });
  };
  for (const stretch of stretches) {
    const before = joined.at(-1);
    if (before !== undefined && (before.last !== stretch.first || stretch.ksmdCpuNanos === undefined)) end();
    if (stretch.ksmdCpuNanos === undefined) continue;
    joined.push(stretch);
    if (stretch.last.atMillis - (joined[0]?.first.atMillis ?? 0) >= leastMillis) end();
  }
  end();
  return steps;
}

/** A line through the points; a single one is a dot, with round caps. */
export function linePath(points: readonly Point[]): string {
  if (points.length === 1) return `M${points.map(pair).join('')}h0`;
  return `M${points.map(pair).join('L')}`;
}

/** What lies between the line and the bottom. */
export function areaPath(points: readonly Point[], bottom: number): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return '';
  return `M${pair({ x: first.x, y: bottom })}L${points.map(pair).join('L')}L${pair({ x: last.x, y: bottom })}Z`;
}

/** The corners of the steps, in unbroken runs. */
export function stepRuns(
  steps: readonly CpuStep[],
  x: (atMillis: number) => number,
  y: (percent: number) => number,
): readonly (readonly Point[])[] {
  const runs: Point[][] = [];
  steps.forEach(({ fromMillis, toMillis, percent }, index) => {
    const corners = [fromMillis, toMillis].map((millis) => ({ x: x(millis), y: y(percent) }));
    const run = runs.at(-1);
    if (run === undefined || steps[index - 1]?.toMillis !== fromMillis) runs.push(corners);
    else run.push(...corners);
  });
  return runs;
}

function pair({ x, y }: Point): string {
  return `${coordinate(x)} ${coordinate(y)}`;
}
