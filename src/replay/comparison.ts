import { formatBytes } from '../core/format.js';
import { formatDuration } from '../core/duration.js';
import type { CourseFigures, Reach } from './figures.js';

/** Further off than this, and the rebuilt host does not resemble the real one. */
const MOST_OFF = 0.3;
/** What differs by less is the same: the courses are looked at every 10 s. */
const LEAST_MILLIS = 10_000;
const LEAST_SHARE = 0.02;

export function resembles(rebuilt: number, recorded: number): boolean {
  return Math.abs(rebuilt - recorded) <= MOST_OFF * recorded;
}

/** How the other fared, against how it was, in a few words; undefined where there is no difference to speak of. */
export function differences(was: CourseFigures, other: CourseFigures, withCpu: boolean): string {
  const parts = [reachWords(was.to90, other.to90), savedWords(was, other), ...(withCpu ? [cpuWords(was, other)] : [])];
  const told = parts.filter((part) => part !== undefined);
  return told.length === 0 ? 'no difference to speak of' : told.join(', ');
}

function reachWords(was: readonly Reach[], other: readonly Reach[]): string | undefined {
  const pairs = was.map((reach, index) => [reach, other[index]] as const);
  const both = pairs.filter((pair): pair is [number, number] => pair.every((reach) => typeof reach === 'number'));
  if (both.length > 0) {
    const earlierMillis = meanOf(both.map(([before, after]) => before - after));
    if (Math.abs(earlierMillis) < LEAST_MILLIS) return undefined;
    return `90 % ${rounded(Math.abs(earlierMillis))} ${earlierMillis > 0 ? 'earlier' : 'later'}`;
  }
  const [before, after] = [meanReach(was), meanReach(other)];
  if (after !== undefined) return `90 % after ${rounded(after)} instead of never`;
  return before === undefined ? undefined : `90 % never instead of after ${rounded(before)}`;
}

function savedWords({ meanSavedBytes: was }: CourseFigures, { meanSavedBytes: is }: CourseFigures): string | undefined {
  if (Math.abs(is - was) <= LEAST_SHARE * Math.max(was, is)) return undefined;
  return `${formatBytes(Math.abs(is - was))} ${is > was ? 'more' : 'less'} saved on average`;
}

function cpuWords({ ksmdCpuNanos: was }: CourseFigures, { ksmdCpuNanos: is }: CourseFigures): string | undefined {
  if (Math.abs(is - was) <= LEAST_SHARE * Math.max(was, is)) return undefined;
  if (is > 2 * was)
    return was === 0 ? `${cpuTime(is)} of ksmd CPU instead of none` : `${(is / was).toFixed(1)} times the ksmd CPU`;
  return `${Math.round(Math.abs(is / was - 1) * 100)} % ${is < was ? 'less' : 'more'} ksmd CPU`;
}

/** On average: "3 min", or "3 min (in 5 of 7 cases)". */
export function reachText(to90: readonly Reach[]): string {
  const cases = to90.filter((reach) => reach !== undefined);
  const reached = cases.filter((reach) => reach !== 'never');
  if (cases.length === 0) return '-';
  if (reached.length === 0) return 'never';
  const mean = rounded(meanOf(reached));
  return reached.length === cases.length ? mean : `${mean} (in ${reached.length} of ${cases.length} cases)`;
}

export function cpuTime(nanos: number): string {
  return formatDuration(nanos / 1e6);
}

function meanReach(to90: readonly Reach[]): number | undefined {
  const reached = to90.filter((reach) => typeof reach === 'number');
  return reached.length === 0 ? undefined : meanOf(reached);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** To the second below two minutes, to the minute above. */
function rounded(millis: number): string {
  const unit = millis < 120_000 ? 1000 : 60_000;
  return formatDuration(Math.round(millis / unit) * unit);
}
