import { firstReach } from '../simulation/curve.js';
import type { Trajectory, TrajectoryPoint } from './trajectory.js';
import type { RebuiltHost } from './rebuild.js';

/** What trajectories come to, of one or of several segments on end. */
export interface TrajectoryFigures {
  readonly millis: number;
  /** What was saved on average, in bytes. */
  readonly meanSavedBytes: number;
  readonly ksmdCpuNanos: number;
  readonly pagesScanned: number;
  /** From the beginning and from each arrival of guests; of all trajectories of a host in the same order. */
  readonly to90: readonly Reach[];
}

/**
 * Milliseconds until 90 % of what there was to merge was merged; `never`: not before guests came or went again; undefined:
 * nothing came that could be merged.
 */
export type Reach = number | 'never' | undefined;

const REACHED_SHARE = 0.9;
/** What comes within this time of one another is one arrival. */
const ARRIVAL_MILLIS = 120_000;
/** Less than this part of all that can be merged is no arrival to speak of. */
const LEAST_GAIN_SHARE = 0.02;

export function figuresOf({ points }: Trajectory, host: RebuiltHost): TrajectoryFigures {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('a trajectory without a point');
  const mean = (value: (point: TrajectoryPoint) => number) =>
    points.reduce((sum, point) => sum + value(point), 0) / points.length;
  return {
    millis: host.durationMillis,
    meanSavedBytes: mean(({ savedBytes }) => savedBytes),
    ksmdCpuNanos: last.ksmdCpuNanos - first.ksmdCpuNanos,
    pagesScanned: last.pagesScanned - first.pagesScanned,
    to90: windowsOf(host).map((window) => reachIn(points, window, host.savedBytes)),
  };
}

/** The same of all together. */
export function sumOf(all: readonly TrajectoryFigures[]): TrajectoryFigures {
  const total = (value: (one: TrajectoryFigures) => number) => all.reduce((sum, one) => sum + value(one), 0);
  const millis = total((one) => one.millis);
  const mean = (value: (one: TrajectoryFigures) => number) =>
    total((one) => value(one) * one.millis) / Math.max(millis, 1);
  return {
    millis,
    meanSavedBytes: mean(({ meanSavedBytes }) => meanSavedBytes),
    ksmdCpuNanos: total(({ ksmdCpuNanos }) => ksmdCpuNanos),
    pagesScanned: total(({ pagesScanned }) => pagesScanned),
    to90: all.flatMap(({ to90 }) => to90),
  };
}

interface Window {
  readonly fromMillis: number;
  toMillis: number;
}

/** From the beginning and from each arrival of guests until guests come or go again. */
function windowsOf({ later, beginMillis, durationMillis }: RebuiltHost): readonly Window[] {
  const endMillis = beginMillis + durationMillis;
  let current: Window = { fromMillis: beginMillis, toMillis: endMillis };
  const windows = [current];
  for (const { atMillis, step } of later) {
    const millis = beginMillis + atMillis;
    const isOpen = current.toMillis === endMillis;
    if (step.kind === 'start' && isOpen && millis - current.fromMillis < ARRIVAL_MILLIS) continue;
    if (isOpen) current.toMillis = millis;
    if (step.kind === 'start') windows.push((current = { fromMillis: millis, toMillis: endMillis }));
  }
  return windows;
}

function reachIn(points: readonly TrajectoryPoint[], { fromMillis, toMillis }: Window, savedBefore: number): Reach {
  // Before what ends it, which may be at once.
  const [begin, end] = [indexAt(points, fromMillis), indexAt(points, toMillis - 1)];
  const window = points.slice(begin, end + 1);
  const [first, last] = [window[0], window.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const gainable = last.possibleBytes - (begin === 0 ? savedBefore : first.possibleBytes);
  if (gainable < LEAST_GAIN_SHARE * last.possibleBytes || gainable <= 0) return undefined;
  const target = first.savedBytes + REACHED_SHARE * (last.possibleBytes - first.savedBytes);
  const reached = firstReach(window, target);
  return reached === undefined ? 'never' : Math.max(reached.atMillis - fromMillis, 0);
}

/** The last point that is not later; of a month there are a quarter of a million. */
function indexAt(points: readonly TrajectoryPoint[], millis: number): number {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.atMillis ?? 0) <= millis) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
