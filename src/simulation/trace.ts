import type { Decision } from '../core/decision.js';
import type { Trigger } from '../core/trigger.js';
import type { Applied } from '../core/retune.js';
import { cpuPercent, firstReach } from './curve.js';
import type { VirtualHost } from './host.js';

/** A host at one moment. */
export interface Point {
  /** Since the clock started; negative before. */
  readonly atMillis: number;
  /** What merging saves, in bytes. */
  readonly savedBytes: number;
  /** What it could save at best. */
  readonly possibleBytes: number;
  readonly freeBytes: number;
  readonly guests: number;
  readonly run: number;
  readonly pagesToScan: number;
  readonly sleepMillisecs: number;
  readonly fullScans: number;
  /** Pages that ksmd has looked at since boot. */
  readonly pagesScanned: number;
  /** CPU time that ksmd has used since boot, in nanoseconds. */
  readonly ksmdCpuNanos: number;
  readonly memoryPressurePercent: number;
}

/** A host as it is now. */
export function pointOf(host: VirtualHost): Point {
  const { run, pagesToScan, sleepMillisecs } = host.ksmd.pace;
  return {
    atMillis: host.nowMillis,
    savedBytes: host.savedBytes,
    possibleBytes: host.possibleBytes,
    freeBytes: host.freeBytes,
    guests: host.guestNames.size,
    run,
    pagesToScan,
    sleepMillisecs,
    fullScans: host.ksmd.fullScans,
    pagesScanned: host.ksmd.pagesScanned,
    ksmdCpuNanos: host.ksmd.cpuNanos,
    memoryPressurePercent: host.memoryPressurePercent,
  };
}

/** A retune without its sample, of which a large host has too many. */
export interface TracedRetune {
  readonly atMillis: number;
  readonly triggers: readonly Trigger[];
  readonly decision: Decision;
  readonly applied: Applied;
}

/** A run of a virtual host, in the order of time. */
export interface Trace {
  readonly points: readonly Point[];
  readonly retunes: readonly TracedRetune[];
}

/** What a run comes to; what was not reached is absent. */
export interface Figures {
  readonly gainBytes: number;
  /** The share of the gain that was had at the end. */
  readonly reachedShare: number;
  readonly millisTo50?: number;
  readonly millisTo90?: number;
  readonly millisTo99?: number;
  /** ksmd's CPU time until 90 % was reached. */
  readonly ksmdCpuNanosTo90?: number;
  /** ksmd's CPU time in all. */
  readonly ksmdCpuNanos: number;
  /** ksmd's share of a CPU from when 99 % was reached until the end, in percent. */
  readonly calmCpuPercent?: number;
  /** What was saved on average, in bytes. */
  readonly meanSavedBytes: number;
  /** ksmd's highest share of a CPU over 10 s, in percent. */
  readonly busiestCpuPercent: number;
}

const WINDOW_MILLIS = 10_000;

/** The figures of a run from the clock's start; `gainBytes` is what there is to save beyond what is saved then. */
export function figuresOf(trace: Trace, gainBytes: number): Figures {
  const points = trace.points.filter(({ atMillis }) => atMillis >= 0);
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('a trace without a point');
  const to = (share: number) => firstReach(points, first.savedBytes + share * gainBytes);
  const [half, most, all] = gainBytes > 0 ? [to(0.5), to(0.9), to(0.99)] : [];
  return {
    gainBytes,
    reachedShare: gainBytes > 0 ? (last.savedBytes - first.savedBytes) / gainBytes : 1,
    ...(half === undefined ? {} : { millisTo50: half.atMillis }),
    ...(most === undefined
      ? {}
      : { millisTo90: most.atMillis, ksmdCpuNanosTo90: most.ksmdCpuNanos - first.ksmdCpuNanos }),
    ...(all === undefined ? {} : { millisTo99: all.atMillis }),
    ksmdCpuNanos: last.ksmdCpuNanos - first.ksmdCpuNanos,
    ...(all === undefined || all.atMillis >= last.atMillis ? {} : { calmCpuPercent: cpuPercent(all, last) }),
    meanSavedBytes: points.reduce((sum, { savedBytes }) => sum + savedBytes, 0) / points.length,
    busiestCpuPercent: busiest(points),
  };
}

/** Of the stretches of 10 s, or a little more where the points lie so; of the whole run where that is shorter. */
function busiest(points: readonly Point[]): number {
  const isLong = (begin: Point | undefined, end: Point) =>
    begin !== undefined && end.atMillis - begin.atMillis >= WINDOW_MILLIS;
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || last === first) return 0;
  let [highest, start] = [isLong(first, last) ? 0 : cpuPercent(first, last), 0];
  for (const end of points) {
    while (isLong(points[start + 1], end)) start += 1;
    const begin = points[start];
    if (begin !== undefined && isLong(begin, end)) highest = Math.max(highest, cpuPercent(begin, end));
  }
  return highest;
}
