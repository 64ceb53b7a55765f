import type { HistorySample } from '../../core/history/record.js';
import { clockMarks, clockStep, clockTime, isMidnight, shortDate } from '../../text/clock.js';
import { LAYOUT } from './layout.js';
import type { Scale } from '../../text/scale.js';
import { type History, longestStretchMillis } from '../../core/history/series.js';
import { coordinate, element, escaped } from '../../text/svg.js';

/** As many labels as do not touch one another. */
const MOST_MARKS = 12;
const DAY_MILLIS = 86_400_000;
/** Where a gap is wide enough to be named, in pixels. */
const NAMED_GAP = 90;

const { left, right, memory, cpu, times, dates } = LAYOUT;

type ToPixel = (value: number) => number;

/** Upright lines at round times, with the clock's time below and the date at midnight. */
export function timeAxis({ fromMillis, toMillis }: History, x: ToPixel): readonly string[] {
  const step = clockStep(toMillis - fromMillis, MOST_MARKS);
  return clockMarks(fromMillis, toMillis, step).flatMap((mark) => {
    const at = x(mark);
    const grid = [memory, cpu].map(({ top, bottom }) => upright('grid', at, top, bottom));
    if (step >= DAY_MILLIS) return [...grid, label(shortDate(mark), at, times, 'middle')];
    const date = isMidnight(mark) ? [label(shortDate(mark), at, dates, 'middle')] : [];
    return [...grid, label(clockTime(mark, step < 60_000), at, times, 'middle'), ...date];
  });
}

/** Level lines at round values, labelled at the left; the lowest is the axis. */
export function valueAxis({ ticks, pixel }: Scale): readonly string[] {
  return ticks.flatMap(({ value, label: text }, index) => {
    const y = pixel(value);
    const line = element('path', { class: index === 0 ? 'axis' : 'grid', d: `M${left} ${coordinate(y)}H${right}` });
    return [line, label(text, left - 10, y + 4, 'end')];
  });
}

export const HATCH = element(
  'defs',
  {},
  element(
    'pattern',
    { id: 'hatch', width: 7, height: 7, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
    element('path', { class: 'gap', d: 'M3.5 0v7' }),
  ),
);

/** The times in which nothing was recorded, from the first sample to the end. */
export function gaps(
  { toMillis, samples }: History,
  segments: readonly (readonly HistorySample[])[],
  x: ToPixel,
): readonly string[] {
  return segments.flatMap((segment, index) => {
    const from = segment.at(-1)?.atMillis ?? toMillis;
    const next = segments[index + 1]?.[0]?.atMillis;
    const to = next ?? toMillis;
    if (next === undefined && to - from <= longestStretchMillis(samples)) return [];
    const width = x(to) - x(from);
    const hatched = [memory, cpu].map(({ top, bottom }) =>
      element('rect', { x: x(from), y: top, width, height: bottom - top, style: 'fill:url(#hatch)' }),
    );
    const middle = (memory.top + memory.bottom) / 2;
    return [...hatched, ...(width < NAMED_GAP ? [] : [label('not recorded', x(from) + width / 2, middle, 'middle')])];
  });
}

export function upright(name: string, x: number, top: number, bottom: number): string {
  return element('path', { class: name, d: `M${coordinate(x)} ${top}V${bottom}` });
}

export function label(text: string, x: number, y: number, anchor: 'start' | 'middle' | 'end'): string {
  return element('text', { class: 'text', x, y, 'text-anchor': anchor }, escaped(text));
}
