import type { HistorySample } from '../../core/history/record.js';
import { clockTime, shortDate } from '../../text/clock.js';
import { type Happening, describeHappening } from '../../core/history/happenings.js';
import { element, escaped, textWidth } from '../../text/svg.js';

/** Marks that are nearer to one another than this are one mark, in pixels. */
const NEAR = 9;
const MOST_TITLE_LINES = 12;
const LONGEST_LABEL = 34;

/** Happenings that share a mark. */
export interface Cluster {
  readonly x: number;
  readonly happenings: readonly Happening[];
}

/** @param happenings in the order of their times. */
export function clustersOf(happenings: readonly Happening[], x: (atMillis: number) => number): readonly Cluster[] {
  const clusters: { x: number; happenings: Happening[] }[] = [];
  for (const happening of happenings) {
    const cluster = clusters.at(-1);
    const at = x(happening.atMillis);
    if (cluster !== undefined && at - cluster.x < NEAR) cluster.happenings.push(happening);
    else clusters.push({ x: at, happenings: [happening] });
  }
  return clusters;
}

const MARKS = {
  started: (x: number, y: number) => `M${x - 4.5} ${y + 4}h9l-4.5 -8z`,
  stopped: (x: number, y: number) => `M${x - 4.5} ${y - 4}h9l-4.5 8z`,
  crashed: (x: number, y: number) => `M${x - 3.5} ${y - 3.5}l7 7m0 -7l-7 7`,
  resized: (x: number, y: number) => `M${x - 3} ${y - 3}h6v6h-6z`,
  decision: (x: number, y: number) => `M${x} ${y - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5z`,
} as const;
export type MarkName = keyof typeof MARKS;

/** A mark of the lanes and of the legend, around its middle. */
export function mark(name: MarkName, x: number, y: number): string {
  const rounded = Number(x.toFixed(1));
  return element('path', { class: name, d: MARKS[name](rounded, y) });
}

/** Marks with what they stand for beside them, where there is room for it, and in a title that a pointer shows. */
export function lane(clusters: readonly Cluster[], y: number, right: number): readonly string[] {
  return clusters.map(({ x, happenings }, index) => {
    const room = (clusters[index + 1]?.x ?? right) - x - 2 * NEAR;
    const text = labels(happenings).find((candidate) => textWidth(candidate) <= room);
    const label =
      text === undefined ? [] : [element('text', { class: 'text small', x: x + 8, y: y + 4 }, escaped(text))];
    return element(
      'g',
      {},
      element('title', {}, escaped(titleOf(happenings))),
      mark(markOf(happenings), x, y),
      ...label,
    );
  });
}

/** The gravest of what happened. */
function markOf(happenings: readonly Happening[]): MarkName {
  const names = happenings.map((happening) => (happening.kind === 'decision' ? 'decision' : happening.change));
  return (['crashed', 'decision', 'started', 'stopped'] as const).find((name) => names.includes(name)) ?? 'resized';
}

/** From the most telling to the shortest. */
function labels(happenings: readonly Happening[]): readonly string[] {
  const guests = happenings.flatMap((happening) => (happening.kind === 'guests' ? happening.names : []));
  const [only] = happenings.length === 1 ? happenings : [];
  if (only?.kind === 'decision') return [cut(only.reason)];
  if (guests.length === 1) return [cut(guests[0] ?? '')];
  const signs = { started: '+', stopped: '\u2212', crashed: '\u2212', resized: '' } as const;
  const counts = Object.entries(signs).flatMap(([change, sign]) => {
    const some = happenings.flatMap((happening) =>
      happening.kind === 'guests' && happening.change === change ? happening.names : [],
    );
    return sign === '' || some.length === 0 ? [] : [`${sign}${some.length}`];
  });
  if (guests.length > 0) return [counts.join(' ') || `${guests.length} resized`];
  return [`${happenings.length} decisions`, `${happenings.length}`];
}

function titleOf(happenings: readonly Happening[]): string {
  const lines = happenings.slice(0, MOST_TITLE_LINES).map((happening) => {
    const what = happening.kind === 'decision' ? `${happening.reason}: ` : '';
    return `${shortDate(happening.atMillis)} ${clockTime(happening.atMillis, true)}  ${what}${describeHappening(happening)}`;
  });
  const more = happenings.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

function cut(text: string): string {
  return text.length <= LONGEST_LABEL ? text : `${text.slice(0, LONGEST_LABEL - 1)}\u2026`;
}

/** When ksmd was merging, and when everything was unmerged, as bars; rest is nothing. */
export function runBars(
  segments: readonly (readonly HistorySample[])[],
  x: (atMillis: number) => number,
  { y, height }: { readonly y: number; readonly height: number },
): readonly string[] {
  return segments.flatMap((segment) => {
    const bars: { run: number; from: number; to: number }[] = [];
    for (const { run, atMillis } of segment) {
      const bar = bars.at(-1);
      if (bar !== undefined) bar.to = atMillis;
      if (bar?.run !== run) bars.push({ run, from: atMillis, to: atMillis });
    }
    return bars
      .filter(({ run, from, to }) => run !== 0 && to > from)
      .map(({ run, from, to }) => {
        const name = run === 1 ? 'merging' : 'unmerged';
        const width = Math.max(x(to) - x(from), 1);
        return element('rect', { class: name, x: x(from), y, width, height }, element('title', {}, name));
      });
  });
}
