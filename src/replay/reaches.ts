import { formatDuration } from '../core/duration.js';
import { plural } from '../core/format.js';
import type { Reach } from './figures.js';

/** What differs by less is the same: the trajectories are looked at every 10 s. */
const LEAST_MILLIS = 10_000;

/** How two trajectories of the same hosts reached 90 %: what the table shows and the sentence compares. */
interface Reached {
  /** Those in which there was something to merge. */
  readonly cases: number;
  readonly both: number;
  readonly was: Side;
  readonly other: Side;
}

interface Side {
  readonly count: number;
  /** On average, to the second: over the cases that both reached; where there are none, over its own. */
  readonly millis: number;
}

function reachedBy(was: readonly Reach[], other: readonly Reach[]): Reached {
  const isBoth = was.map((reach, index) => isReached(reach) && isReached(other[index]));
  const both = isBoth.filter((is) => is).length;
  const side = (reaches: readonly Reach[]): Side => {
    const own = reaches.filter(isReached);
    const compared = both === 0 ? own : reaches.filter((_, index) => isBoth[index]).filter(isReached);
    const millis = compared.reduce((sum, each) => sum + each, 0) / compared.length;
    return { count: own.length, millis: Math.round(millis / 1000) * 1000 };
  };
  return { cases: was.filter((reach) => reach !== undefined).length, both, was: side(was), other: side(other) };
}

/** Rows of a table: a name, what it was and what it is with the other. */
export function reachRows(was: readonly Reach[], other: readonly Reach[]): readonly (readonly string[])[] {
  const reached = reachedBy(was, other);
  const { cases, both } = reached;
  const row = (name: string, text: (side: Side) => string) => [name, text(reached.was), text(reached.other)];
  if (both === cases || both === 0) return [row('90 % merged after', (side) => ownText(side, cases))];
  return [
    row('90 % merged', ({ count }) => `in ${count} of ${plural(cases, 'case')}`),
    row(`  after, in the ${both} that both reached`, ({ millis }) => formatDuration(millis)),
  ];
}

/** The difference between them; undefined where there is none to speak of. */
export function reachWords(was: readonly Reach[], other: readonly Reach[]): string | undefined {
  const reached = reachedBy(was, other);
  const { cases, both } = reached;
  if (both === 0) {
    const [before, after] = [reached.was, reached.other].map((side) => {
      return side.count === 0 ? 'never' : `after ${ownText(side, cases)}`;
    });
    return before === after ? undefined : `90 % ${after ?? ''} instead of ${before ?? ''}`;
  }
  const earlierMillis = reached.was.millis - reached.other.millis;
  const time = `${formatDuration(Math.abs(earlierMillis))} ${earlierMillis > 0 ? 'earlier' : 'later'}`;
  const [more, fewer] = [reached.other.count - both, reached.was.count - both];
  const parts = [
    ...(Math.abs(earlierMillis) < LEAST_MILLIS
      ? []
      : [both === cases ? time : `${time} in the ${plural(both, 'case')} that both reached`]),
    ...(more === 0 ? [] : [`in ${plural(more, 'case')} more`]),
    ...(fewer === 0 ? [] : [`in ${plural(fewer, 'case')} fewer`]),
  ];
  return parts.length === 0 ? undefined : `90 % ${parts.join(' and ')}`;
}

/** "never", "3 min 6 s", or "3 min 6 s in 2 of 5 cases" */
function ownText({ count, millis }: Side, cases: number): string {
  if (count === 0) return cases === 0 ? '-' : 'never';
  return `${formatDuration(millis)}${count === cases ? '' : ` in ${count} of ${plural(cases, 'case')}`}`;
}

function isReached(reach: Reach): reach is number {
  return typeof reach === 'number';
}
