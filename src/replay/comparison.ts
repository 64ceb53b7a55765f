import { formatBytes } from '../core/format.js';
import { formatDuration } from '../core/duration.js';
import type { TrajectoryFigures } from './figures.js';
import { reachWords } from './reaches.js';

/** Further off than this, and the rebuilt host does not resemble the real one. */
const MOST_OFF = 0.3;
/** What differs by less is the same. */
const LEAST_SHARE = 0.02;

export function resembles(rebuilt: number, recorded: number): boolean {
  return Math.abs(rebuilt - recorded) <= MOST_OFF * recorded;
}

/** How the other fared, against how it was, in a few words. */
export function differences(was: TrajectoryFigures, other: TrajectoryFigures, withCpu: boolean): string {
  const parts = [reachWords(was.to90, other.to90), savedWords(was, other), ...(withCpu ? [cpuWords(was, other)] : [])];
  const shown = parts.filter((part) => part !== undefined);
  return shown.length === 0 ? 'no notable difference' : shown.join(', ');
}

function savedWords(
  { meanSavedBytes: was }: TrajectoryFigures,
  { meanSavedBytes: is }: TrajectoryFigures,
): string | undefined {
  if (Math.abs(is - was) <= LEAST_SHARE * Math.max(was, is)) return undefined;
  return `${formatBytes(Math.abs(is - was))} ${is > was ? 'more' : 'less'} saved on average`;
}

function cpuWords(
  { ksmdCpuNanos: was }: TrajectoryFigures,
  { ksmdCpuNanos: is }: TrajectoryFigures,
): string | undefined {
  if (Math.abs(is - was) <= LEAST_SHARE * Math.max(was, is)) return undefined;
  if (is > 2 * was)
    return was === 0 ? `${cpuTime(is)} of ksmd CPU instead of none` : `${(is / was).toFixed(1)} times the ksmd CPU`;
  return `${Math.round(Math.abs(is / was - 1) * 100)} % ${is < was ? 'less' : 'more'} ksmd CPU`;
}

export function cpuTime(nanos: number): string {
  return formatDuration(nanos / 1e6);
}
