import { formatBytes } from '../../core/format.js';
import { formatDuration } from '../../core/duration.js';
import { memoryScale } from '../../text/scale.js';
import { type Line, ends, fill, widthOf } from '../../text/cells.js';
import type { Style } from '../../text/terminal.js';
import { curve } from './curve.js';
import type { WatchState } from './model.js';
import { binsUntil, gaugeBins, latestRate, rateBins } from './series.js';

/** One of the four curves. */
interface Chart {
  readonly name: string;
  /** How it is now. */
  readonly now: string;
  /** The same in a few characters. */
  readonly short: string;
  /** What follows `now` where it fits beside the scale. */
  readonly detail?: string;
  readonly ink: Style;
  readonly values: (count: number) => readonly (number | undefined)[];
  /** The end of the scale for values up to `most`. */
  readonly scale: (most: number) => { readonly top: number; readonly label: string };
}

export interface ChartSize {
  readonly columns: number;
  readonly rows: number;
  readonly unicode: boolean;
  /** What the curves of memory reach up to at least, so that those of several hosts compare. */
  readonly memoryTopBytes?: number | undefined;
}

const GAP = 2;
const UNKNOWN = 'not known';
const NAME_COLUMNS = 7;
const SHORT_COLUMNS = 10;

/** Two rows of two curves, `rows` lines each and one above, with the time below them. */
export function chartGrid(state: WatchState, size: ChartSize): readonly Line[] {
  const width = Math.floor((size.columns - GAP) / 2);
  const drawn = chartsOf(state, size.memoryTopBytes).map((chart) => chartLines(chart, { ...size, columns: width }));
  const [saved = [], free = [], scan = [], ksmd = []] = drawn;
  const axis = timeAxis(state.windowMillis, width);
  return [saved, scan, [axis]].flatMap((left, row) => {
    const right = [free, ksmd, [axis]][row] ?? [];
    return left.map((line, at): Line => [...fill(line, width + GAP), ...(right[at] ?? [])]);
  });
}

/** A line for each: its name, how it is now, and a curve a line high. */
export function chartRows(
  state: WatchState,
  { columns, unicode, memoryTopBytes }: Omit<ChartSize, 'rows'>,
): readonly Line[] {
  const room = Math.max(columns - NAME_COLUMNS - SHORT_COLUMNS - 1, 0);
  return chartsOf(state, memoryTopBytes).map((chart): Line => {
    const [drawn = ''] = draw(chart, { columns: room, rows: 1, unicode }).lines;
    return [
      { text: chart.name.split(' ')[0]?.padEnd(NAME_COLUMNS) ?? '' },
      { text: chart.short.padEnd(SHORT_COLUMNS + 1), ink: 'strong' },
      { text: drawn, ink: chart.ink },
    ];
  });
}

function chartLines(chart: Chart, size: ChartSize): readonly Line[] {
  const { lines, label } = draw(chart, size);
  const now = widthOf(`${chart.name}  ${chart.now}`) <= size.columns ? chart.now : chart.short;
  const top = `↑ ${label}`;
  const detailed = `${now}${chart.detail ?? ''}`;
  const hasRoom = widthOf(`${chart.name}  ${detailed}`) + GAP + widthOf(top) <= size.columns;
  const title: Line = [{ text: `${chart.name}  ` }, { text: hasRoom ? detailed : now, ink: 'strong' }];
  return [
    ends(title, [[{ text: top, ink: 'dim' }]], size.columns),
    ...lines.map((text): Line => [{ text, ink: chart.ink }]),
  ];
}

function draw(chart: Chart, { columns, rows, unicode }: ChartSize) {
  const values = columns > 0 ? chart.values(columns) : [];
  const { top, label } = chart.scale(Math.max(0, ...values.map((value) => value ?? 0)));
  return { lines: curve(values, { top, rows, unicode }), label };
}

/** "10 min ago" to "now", with the middle where there is room. */
function timeAxis(windowMillis: number, columns: number): Line {
  const [left, middle, right] = [`${formatDuration(windowMillis)} ago`, formatDuration(windowMillis / 2), 'now'];
  const side = Math.floor((columns - widthOf(middle)) / 2);
  const text =
    side > left.length
      ? `${left.padEnd(side)}${middle}${right.padStart(columns - side - middle.length)}`
      : `${left}${right.padStart(columns - left.length)}`;
  return [{ text, ink: 'dim' }];
}

function chartsOf(
  { host, daemon, readings, nowMillis, windowMillis }: WatchState,
  memoryTopBytes = 0,
): readonly Chart[] {
  const binsOf = (count: number) => binsUntil(nowMillis, count, windowMillis);
  const memory = (most: number) => {
    const { value, label } = memoryScale(Math.max(most, memoryTopBytes), { bottom: 0, top: 1 }).ticks.at(-1) ?? {
      value: 1,
      label: '',
    };
    return { top: value, label };
  };
  const pages = latestRate(readings, 'pagesScanned');
  const nanos = latestRate(readings, 'ksmdCpuNanos');
  const percent = nanos === undefined ? undefined : Math.min(nanos / 1e7, 100);
  const last = readings.at(-1);
  const saved = last === undefined ? UNKNOWN : formatBytes(last.savedBytes);
  const { freedBytes = 0 } = daemon ?? {};
  const free = last === undefined ? UNKNOWN : formatBytes(last.freeBytes);
  return [
    {
      ...{ name: 'saved memory', now: saved, short: saved, ink: 'saved', scale: memory },
      detail: last === undefined || freedBytes === 0 ? '' : `, ${formatBytes(freedBytes)} freed`,
      values: (count) => gaugeBins(readings, 'savedBytes', binsOf(count)),
    },
    {
      ...{ name: 'free memory', short: free, ink: 'free', scale: memory },
      now: host === undefined ? free : `${free} of ${formatBytes(host.totalBytes)}`,
      values: (count) => gaugeBins(readings, 'freeBytes', binsOf(count)),
    },
    {
      ...{ name: 'scan rate', ink: 'scan' },
      now: pages === undefined ? UNKNOWN : `${formatCount(pages)} pages/s`,
      short: pages === undefined ? UNKNOWN : `${formatCount(pages)}/s`,
      values: (count) => rateBins(readings, 'pagesScanned', binsOf(count)),
      scale: (most) => {
        const top = roundUp(Math.max(most, 100));
        return { top, label: `${formatCount(top)}/s` };
      },
    },
    {
      ...{ name: 'ksmd', ink: 'ksmd' },
      now: percent === undefined ? UNKNOWN : `${formatPercent(percent)} of a core`,
      short: percent === undefined ? UNKNOWN : formatPercent(percent),
      values: (count) =>
        rateBins(readings, 'ksmdCpuNanos', binsOf(count)).map((rate) => (rate === undefined ? undefined : rate / 1e7)),
      scale: (most) => {
        const top = Math.min(roundUp(Math.max(most, 1)), 100);
        return { top, label: `${top} %` };
      },
    },
  ];
}

/** The next of 1, 2, 5, 10, 20, ... */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5].find((step) => value <= step * power) ?? 10);
}

/** "364", "36.4 k", "1.2 M" */
function formatCount(count: number): string {
  if (count < 9999.5) return String(Math.round(count));
  const [value, unit] = count < 999_950 ? [count / 1e3, 'k'] : [count / 1e6, 'M'];
  return `${Number(value.toFixed(value < 99.95 ? 1 : 0))} ${unit}`;
}

function formatPercent(percent: number): string {
  return `${percent.toFixed(percent < 9.95 && percent >= 0.05 ? 1 : 0)} %`;
}
