import { formatBytes } from '../../core/format.js';
import { formatDuration } from '../../core/duration.js';
import type { HistorySample } from '../../core/history/record.js';
import { clockMarks, clockRange, clockStep, clockTime, shortDate } from '../../text/clock.js';
import { clean } from '../../text/clean.js';
import { GAP, alignedRows } from '../../text/table.js';
import { wrap } from '../../text/wrap.js';
import { type Happening, describeHappening, happenings, summarize } from '../../core/history/happenings.js';
import { type History, type Stretch, ksmdPercent, stretchesOf } from '../../core/history/series.js';

const WIDTH = 80;
/** With the lines between them a screen or two. */
const MOST_ROWS = 31;
const MOST_HAPPENINGS = 20;
const DAY_MILLIS = 86_400_000;

/** A line of the table, or one between them, at its time. */
interface Line {
  readonly atMillis: number;
  readonly text: string;
}

/** A table for a person: how things stood at each step of the clock, and in between what happened. */
export function historyText(history: History): string {
  const { fromMillis, toMillis, samples } = history;
  const time = timeFormat(history);
  const stretches = stretchesOf(samples);
  const rows = rowsOf(history);
  const hasFreed = rows.some(({ freedBytes }) => freedBytes > 0);
  const cells = rows.map((sample, index) => {
    const since = rows[index - 1]?.atMillis ?? fromMillis;
    const passed = stretches.filter(({ first, last }) => first.atMillis >= since && last.atMillis <= sample.atMillis);
    return [time(sample.atMillis), ...cellsOf(sample, passed, hasFreed)];
  });
  const titles = ['TIME', 'SAVED', ...(hasFreed ? ['FREED'] : []), 'FREE', 'GUESTS USE', 'GUESTS', 'KSMD', 'KSM'];
  const isNumber = (column: number) => column > 0 && column < titles.length - 1;
  const [headings = '', ...texts] = alignedRows([titles, ...cells], isNumber);
  const table = rows.map(({ atMillis }, index): Line => ({ atMillis, text: texts[index] ?? '' }));
  const between = [...eventLines(history, rows), ...gapLines(samples, stretches)].map(({ atMillis, text }): Line => ({
    atMillis,
    text: hanging(`${GAP}${time(atMillis)}${GAP}`, text),
  }));
  const lines = [...table, ...between].toSorted((a, b) => a.atMillis - b.atMillis);
  return [
    clockRange(fromMillis, toMillis),
    '',
    headings,
    ...lines.map(({ text }) => text),
    '',
    ...(hasFreed ? ['FREED is the part of SAVED that splits of huge pages freed.'] : []),
    'KSMD is the CPU time of ksmd since the line above, in percent of one core.',
  ].join('\n');
}

/** The first sample of each step of the clock, and the last of all. */
function rowsOf({ fromMillis, toMillis, samples }: History): readonly HistorySample[] {
  const marks = clockMarks(fromMillis, toMillis, clockStep(toMillis - fromMillis, MOST_ROWS));
  const rows = [fromMillis, ...marks].map((mark) => samples.find(({ atMillis }) => atMillis >= mark));
  return [...new Set([...rows, samples.at(-1)])].filter((sample) => sample !== undefined);
}

function cellsOf(sample: HistorySample, passed: readonly Stretch[], withFreed: boolean): readonly string[] {
  const percent = ksmdPercent(passed);
  return [
    formatBytes(sample.savedBytes),
    ...(withFreed ? [formatBytes(sample.freedBytes)] : []),
    formatBytes(sample.freeBytes),
    formatBytes(sample.committedBytes),
    String(sample.guestCount),
    percent === undefined ? '-' : `${percent.toFixed(percent < 10 ? 1 : 0)} %`,
    describeRun(sample.run),
  ];
}

function describeRun(run: number): string {
  if (run === 1) return 'merging';
  return run === 2 ? 'unmerged' : 'resting';
}

/** Each happening where there are few; otherwise a line for all that happened between two rows. */
function eventLines(history: History, rows: readonly HistorySample[]): readonly Line[] {
  const all = happenings(history.guestEvents, history.decisions);
  if (all.length <= MOST_HAPPENINGS) {
    return all.map((happening) => ({ atMillis: happening.atMillis, text: describeHappening(happening) }));
  }
  const before = new Map<HistorySample | undefined, Happening[]>();
  for (const happening of all) {
    const row = rows.findLast(({ atMillis }) => atMillis <= happening.atMillis);
    before.set(row, [...(before.get(row) ?? []), happening]);
  }
  return [...before.values()].map((many) => ({ atMillis: many[0]?.atMillis ?? 0, text: summarize(many) }));
}

function gapLines(samples: readonly HistorySample[], stretches: readonly Stretch[]): readonly Line[] {
  const followed = new Set(stretches.map(({ first }) => first));
  return samples.slice(0, -1).flatMap((sample, index): Line[] => {
    const next = samples[index + 1];
    if (next === undefined || followed.has(sample)) return [];
    const length = formatDuration(next.atMillis - sample.atMillis);
    return [{ atMillis: sample.atMillis, text: `nothing recorded for ${length}` }];
  });
}

/** The date only where the times span more than a day. */
function timeFormat({ fromMillis, toMillis }: History): (atMillis: number) => string {
  const span = toMillis - fromMillis;
  const withSeconds = clockStep(span, MOST_ROWS) < 60_000;
  if (span <= DAY_MILLIS) return (atMillis) => clockTime(atMillis, withSeconds);
  return (atMillis) => `${shortDate(atMillis).padStart(6)} ${clockTime(atMillis)}`;
}

/** Text after a prefix, its further lines below its first. */
function hanging(prefix: string, text: string): string {
  return prefix + wrap(clean(text), WIDTH - prefix.length).join(`\n${' '.repeat(prefix.length)}`);
}
