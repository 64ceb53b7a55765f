/** What the curves are drawn from: a host at one moment. Counters count from boot; undefined is what the kernel does not report. */
export interface Reading {
  /** Milliseconds since 1970, or on any other clock that only goes forward. */
  readonly atMillis: number;
  readonly savedBytes: number;
  readonly freeBytes: number;
  readonly ksmdCpuNanos: number | undefined;
  readonly pagesScanned: number | undefined;
}

type Gauge = 'savedBytes' | 'freeBytes';
type Counter = 'ksmdCpuNanos' | 'pagesScanned';

/** How far back the curves go, unless told otherwise. */
export const WINDOW_MILLIS = 600_000;
/** Readings are at most this far apart where somebody looked; what is longer is a gap, of which nothing is known. */
const GAP_MILLIS = 150_000;
const MOST_READINGS = 1500;
/** A rate as a number is taken over this time: ksmd works and sleeps in turns. */
const RATE_MILLIS = 5000;

/** A span of time in equal parts. */
export interface Bins {
  readonly fromMillis: number;
  readonly stepMillis: number;
  readonly count: number;
}

/** The window that ends now, in `count` parts. They begin at multiples of their length, so that a curve moves as a whole. */
export function binsUntil(nowMillis: number, count: number, windowMillis = WINDOW_MILLIS): Bins {
  const stepMillis = windowMillis / count;
  return { fromMillis: (Math.floor(nowMillis / stepMillis) + 1 - count) * stepMillis, stepMillis, count };
}

/** `readings` and `more` in the order of their times, no older than the window before the last, and never too many. */
export function withReadings(
  readings: readonly Reading[],
  more: readonly Reading[],
  windowMillis: number,
): readonly Reading[] {
  const all = isNext(readings, more) ? [...readings, ...more] : merged(readings, more);
  const oldest = (all.at(-1)?.atMillis ?? 0) - windowMillis - GAP_MILLIS;
  const first = Math.max(
    all.findIndex(({ atMillis }) => atMillis >= oldest),
    all.length - MOST_READINGS,
  );
  return first > 0 ? all.slice(first) : all;
}

/** Whether it is one reading that is newer than all others: as a rule it is. */
function isNext(readings: readonly Reading[], more: readonly Reading[]): boolean {
  const [next] = more;
  return more.length === 1 && next !== undefined && next.atMillis > (readings.at(-1)?.atMillis ?? -Infinity);
}

function merged(readings: readonly Reading[], more: readonly Reading[]): readonly Reading[] {
  const byTime = new Map([...readings, ...more].map((reading) => [reading.atMillis, reading]));
  return [...byTime.values()].toSorted((a, b) => a.atMillis - b.atMillis);
}

/** The mean of a value in each part; undefined where nobody looked. */
export function gaugeBins(readings: readonly Reading[], gauge: Gauge, bins: Bins): readonly (number | undefined)[] {
  return binned(readings, bins, (first, last) => (part) => first[gauge] + (last[gauge] - first[gauge]) * part);
}

/** How fast a counter went in each part, per second; undefined where that is not known. */
export function rateBins(readings: readonly Reading[], counter: Counter, bins: Bins): readonly (number | undefined)[] {
  return binned(readings, bins, (first, last) => {
    const rate = rateBetween(first, last, counter);
    return rate === undefined ? undefined : () => rate;
  });
}

/** How fast a counter goes now, per second. */
export function latestRate(readings: readonly Reading[], counter: Counter): number | undefined {
  const last = readings.at(-1);
  if (last === undefined) return undefined;
  const first = readings.findLast(({ atMillis }) => last.atMillis - atMillis >= RATE_MILLIS) ?? readings[0];
  return first === undefined ? undefined : rateBetween(first, last, counter);
}

type ValueAt = (part: number) => number;

/** Weighs what is known between one reading and the next by the time that it takes of each part. */
function binned(
  readings: readonly Reading[],
  { fromMillis, stepMillis, count }: Bins,
  between: (first: Reading, last: Reading) => ValueAt | undefined,
): readonly (number | undefined)[] {
  const sums = Array.from({ length: count }, () => ({ value: 0, millis: 0 }));
  readings.slice(1).forEach((last, index) => {
    const first = readings[index] ?? last;
    const length = last.atMillis - first.atMillis;
    const value = length > 0 && length <= GAP_MILLIS ? between(first, last) : undefined;
    if (value === undefined) return;
    const begin = Math.max(Math.floor((first.atMillis - fromMillis) / stepMillis), 0);
    const end = Math.min(Math.floor((last.atMillis - fromMillis) / stepMillis), count - 1);
    for (let bin = begin; bin <= end; bin += 1) {
      const binMillis = fromMillis + bin * stepMillis;
      const from = Math.max(first.atMillis, binMillis);
      const to = Math.min(last.atMillis, binMillis + stepMillis);
      const sum = sums[bin];
      if (sum === undefined || to <= from) continue;
      sum.value += value(((from + to) / 2 - first.atMillis) / length) * (to - from);
      sum.millis += to - from;
    }
  });
  return sums.map(({ value, millis }) => (millis > 0 ? value / millis : undefined));
}

/** Undefined over a gap and a boot, at which counters start again. */
function rateBetween(first: Reading, last: Reading, counter: Counter): number | undefined {
  const [before, after] = [first[counter], last[counter]];
  const millis = last.atMillis - first.atMillis;
  if (before === undefined || after === undefined || after < before) return undefined;
  return millis > 0 && millis <= GAP_MILLIS ? ((after - before) / millis) * 1000 : undefined;
}
