import { formatBytes, plural } from '../../core/format.js';
import type { HistorySample } from '../../core/history/record.js';
import { HATCH, gaps, label, timeAxis, upright, valueAxis } from './axes.js';
import { clockRange } from '../../text/clock.js';
import { type Point, areaPath, cpuSteps, linePath, pointsOf, stepRuns } from './curves.js';
import { happenings } from '../../core/history/happenings.js';
import { clustersOf, lane, runBars } from './lanes.js';
import { LAYOUT } from './layout.js';
import { legend } from './legend.js';
import { linear, memoryScale, percentScale } from '../../text/scale.js';
import { type History, ksmdPercent, segmentsOf, stretchesOf } from '../../core/history/series.js';
import { chartStyle } from './style.js';
import { element, escaped } from '../../text/svg.js';

const { width, height, left, right, memory, lanes, cpu } = LAYOUT;
const RUN_BAR_HEIGHT = 8;
/** More guide lines than this hide what they should point out. */
const MOST_GUIDES = 12;

/**
 * A chart of 1000 x 500: memory saved and free, guests that came and went, decisions, the CPU that ksmd used. It stands
 * for itself, light or dark as the reader's system is.
 */
export function historyChart(history: History, host: string): string {
  const title = `Memory saved by KSM on ${host}`;
  const parts = [
    element('title', {}, escaped(title)),
    element('style', {}, escaped(chartStyle())),
    HATCH,
    element('rect', { class: 'page', width, height }),
    element('text', { class: 'strong title', x: left, y: LAYOUT.title }, escaped(title)),
    label(subtitle(history), left, LAYOUT.subtitle, 'start'),
    legend(history),
    ...picture(history),
  ];
  const attributes = { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, role: 'img' };
  return element('svg', { ...attributes, width, height }, ...parts.map((part) => `\n${part}`), '\n');
}

function picture(history: History): readonly string[] {
  const { fromMillis, toMillis, samples } = history;
  const x = linear([fromMillis, toMillis], [left, right]);
  const segments = segmentsOf(samples);
  const steps = cpuSteps(stretchesOf(samples), (1.5 * (toMillis - fromMillis)) / (right - left));
  const bytes = memoryScale(largest(samples.flatMap((sample) => [sample.savedBytes, sample.freeBytes])), memory);
  const percent = percentScale(largest(steps.map((step) => step.percent)), cpu);
  const curve = (of: (sample: HistorySample) => number) =>
    segments.map((segment) => pointsOf(segment, x, (sample) => bytes.pixel(of(sample))));
  const saved = curve(({ savedBytes }) => savedBytes);
  const runs = stepRuns(steps, x, percent.pixel);
  const guests = clustersOf(happenings(history.guestEvents, []), x);
  const decisions = clustersOf(happenings([], history.decisions), x);
  const guides = decisions.length > MOST_GUIDES ? [] : decisions;
  return [
    ...areas('saved-area', saved, memory.bottom),
    ...areas('ksmd-area', runs, cpu.bottom),
    ...gaps(history, segments, x),
    ...timeAxis(history, x),
    ...valueAxis(bytes),
    ...valueAxis(percent),
    ...guides.map((cluster) => upright('guide', cluster.x, memory.top, cpu.bottom)),
    ...lines('saved-line', saved),
    ...lines(
      'free-line',
      curve(({ freeBytes }) => freeBytes),
    ),
    ...lines('ksmd-line', runs),
    ...Object.entries(lanes).map(([name, y]) => label(name, left - 10, y + 4, 'end')),
    ...lane(guests, lanes.guests, right),
    ...lane(decisions, lanes.decisions, right),
    ...runBars(segments, x, { y: lanes.merging - RUN_BAR_HEIGHT / 2, height: RUN_BAR_HEIGHT }),
  ];
}

function subtitle({ fromMillis, toMillis, samples }: History): string {
  const percent = ksmdPercent(stretchesOf(samples));
  const most = largest(samples.map(({ savedBytes }) => savedBytes));
  return [
    clockRange(fromMillis, toMillis),
    ...(samples.length === 0 ? ['nothing recorded'] : [`saved at most ${formatBytes(most)}`]),
    ...(percent === undefined ? [] : [`ksmd ${percent.toFixed(1)} % of a core on average`]),
    ...(samples.length === 0 ? [] : [plural(samples.length, 'sample')]),
  ].join(' \u00b7 ');
}

function areas(name: string, runs: readonly (readonly Point[])[], bottom: number): readonly string[] {
  return runs.map((points) => element('path', { class: name, d: areaPath(points, bottom) }));
}

function lines(name: string, runs: readonly (readonly Point[])[]): readonly string[] {
  return runs.map((points) => element('path', { class: name, d: linePath(points) }));
}

/** Of many numbers: as arguments of Math.max they would be too many. */
function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
