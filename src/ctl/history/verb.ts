import { hostname } from 'node:os';
import { formatDuration, parseDuration } from '../../core/duration.js';
import { HISTORY_TIERS, thinned } from '../../core/history/thinning.js';
import { plural } from '../../core/format.js';
import { errnoOf, messageOf } from '../../errors.js';
import { writePlain } from '../../plainFile.js';
import { historyChart } from './chart.js';
import { historyCsv, historyJson } from './export.js';
import { type History, historyOf } from '../../core/history/series.js';
import { historyText } from './text.js';
import { hostOf } from '../hostRoot.js';
import { fold } from '../../text/terminal.js';
import { UsageError, type Verb, type VerbInput, type VerbResult } from '../verb.js';

export const history: Verb = {
  summary: 'memory saved and what happened, table or chart',
  details:
    'Prints a table of the last day, or of the time that --since names. --csv and --json are for programs, --svg draws a ' +
    'chart. samepaged keeps one day in full detail and one month with a sample every five minutes. If it does not run, ' +
    'history reads its file.',
  options: ['since', 'csv', 'json', 'svg', 'bus', 'root'],
  examples: [
    { command: 'samepagectl history --since 1h', does: 'the last hour' },
    { command: 'samepagectl history --since 30d --svg month.svg', does: 'a chart of the last month' },
  ],
  run: showHistory,
};

/** What is older is not shown, even where the file still has it. */
const KEPT_MILLIS = Math.max(
  ...Object.values(HISTORY_TIERS).flatMap((tiers) => tiers.map(({ youngerThanMillis }) => youngerThanMillis)),
);
const KEPT_NOTE = `samepaged keeps a month: what is older than ${formatDuration(KEPT_MILLIS)} is left out`;

async function showHistory({ since, csv, json, svg, terminal, ...input }: VerbInput): Promise<VerbResult> {
  const askedMillis = parseDuration(since);
  if (askedMillis === undefined) {
    throw new UsageError(`--since "${since}" is not a duration; expected for example 90m, 1h, 1d or 30d`);
  }
  if ([csv, json, svg !== ''].filter((wanted) => wanted).length > 1) {
    throw new UsageError('history takes one of --csv, --json and --svg');
  }
  const spanMillis = Math.min(askedMillis, KEPT_MILLIS);
  const nowMillis = Date.now();
  const fromMillis = Math.max(nowMillis - spanMillis, 0);
  const { readHistory } = await import('../../api/readHistory.js');
  const { records, source, notes } = await readHistory(hostOf(input), fromMillis);
  const origin = { source, notes: [...notes, ...(askedMillis > KEPT_MILLIS ? [KEPT_NOTE] : [])] };
  const history = historyOf(thinned(records, nowMillis), fromMillis, nowMillis);
  if (json) return done(historyJson(history, origin));
  if (csv) return done(historyCsv(history));

  const fitted = fit(history);
  if (svg !== '') return done(saveChart(svg, fitted));
  const text =
    fitted.samples.length === 0
      ? `nothing was recorded in the last ${formatDuration(spanMillis)}`
      : historyText(fitted);
  return done([text, ...origin.notes.map((note) => fold([note], terminal))].join('\n'));
}

function done(output: string): VerbResult {
  return { status: 0, output };
}

/** Without the time before the first record. */
function fit(history: History): History {
  const { samples, decisions, guestEvents } = history;
  const begins = [samples, decisions, guestEvents].flatMap(([first]) => (first === undefined ? [] : [first.atMillis]));
  return begins.length === 0 ? history : { ...history, fromMillis: Math.min(...begins) };
}

function saveChart(path: string, history: History): string {
  const chart = historyChart(history, hostname());
  if (path === '-') return chart;
  try {
    writePlain(path, `${chart}\n`);
  } catch (error) {
    throw new Error(`${path} cannot be written (${errnoOf(error) ?? messageOf(error)})`, { cause: error });
  }
  return `${path}: ${plural(history.samples.length, 'sample')} drawn`;
}
