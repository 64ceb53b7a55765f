import type { Origin } from '../../api/readHistory.js';
import type { HistorySample } from '../../core/history/record.js';
import { type History, ksmdPercent, stretchesOf } from '../../core/history/series.js';
import { clean, cleanJson } from '../../text/clean.js';

/** A time as in ISO 8601, to the millisecond, in UTC. */
type Time = string;

/**
 * What `samepagectl history --json` prints, the same in every version that says `version: 1`; later ones may add fields.
 * Sizes are bytes. What the kernel does not report is left out.
 */
interface HistoryJson {
  readonly version: 1;
  readonly from: Time;
  readonly to: Time;
  /** `daemon`: samepaged sent it; `file`: it does not run, and its file was read. */
  readonly source: Origin['source'];
  readonly notes: readonly string[];
  /** In the order of time, as the other lists. */
  readonly samples: readonly SampleJson[];
  readonly decisions: readonly {
    readonly time: Time;
    readonly policy: string;
    readonly reason: string;
    readonly sentence: string;
    readonly changes: readonly string[];
  }[];
  readonly guestEvents: readonly { readonly time: Time; readonly guest: string; readonly change: string }[];
}

interface SampleJson {
  readonly time: Time;
  readonly savedBytes: number;
  readonly freedBytes: number;
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly committedBytes: number;
  readonly guestCount: number;
  readonly run: number;
  readonly profitBytes?: number | undefined;
  /** Since boot. */
  readonly ksmdCpuNanos?: number | undefined;
  /** Of one core, since the sample before; left out after a reboot or where nobody looked in between. */
  readonly ksmdPercent?: number | undefined;
  /** Since boot. */
  readonly pagesScanned?: number | undefined;
}

/** A record a line, so that line-wise tools can read it too. */
export function historyJson(history: History, { source, notes }: Origin): string {
  const whole: HistoryJson = {
    version: 1,
    from: isoTime(history.fromMillis),
    to: isoTime(history.toMillis),
    source,
    notes,
    samples: samplesOf(history),
    decisions: history.decisions.map(({ atMillis, policy, reason, sentence, changes }) => {
      return { time: isoTime(atMillis), policy, reason, sentence, changes };
    }),
    guestEvents: history.guestEvents.map(({ atMillis, name, change }) => {
      return { time: isoTime(atMillis), guest: name, change };
    }),
  };
  const fields = Object.entries(whole).map(([name, value]) => `  ${JSON.stringify(name)}: ${valueText(value)}`);
  return cleanJson(`{\n${fields.join(',\n')}\n}`);
}

function valueText(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return JSON.stringify(value);
  return `[\n${value.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`;
}

const COLUMNS = [
  ...['time', 'kind', 'saved_bytes', 'free_bytes', 'total_bytes', 'committed_bytes', 'guest_count', 'run'],
  ...['profit_bytes', 'ksmd_cpu_nanos', 'ksmd_percent', 'pages_scanned'],
  ...['policy', 'reason', 'sentence', 'changes', 'guest', 'change', 'freed_bytes'],
] as const;
type Row = Partial<Record<(typeof COLUMNS)[number], string | number | undefined>>;

/** RFC 4180 but for its line ends; a record a line in the order of time, its kind in the second column. */
export function historyCsv(history: History): string {
  const rows: { readonly time: string; readonly row: Row }[] = [
    ...history.guestEvents.map(({ atMillis, name, change }) => ({
      time: isoTime(atMillis),
      row: { kind: 'guest', guest: name, change },
    })),
    ...history.decisions.map(({ atMillis, policy, reason, sentence, changes }) => ({
      time: isoTime(atMillis),
      row: { kind: 'decision', policy, reason, sentence, changes: changes.join(', ') },
    })),
    ...samplesOf(history).map(({ time, ...sample }) => ({ time, row: { kind: 'sample', ...sampleRow(sample) } })),
  ];
  const lines = rows
    .toSorted((a, b) => (a.time < b.time ? -1 : Number(a.time > b.time)))
    .map(({ time, row }) => COLUMNS.map((name) => (name === 'time' ? time : csvCell(row[name]))).join(','));
  return [COLUMNS.join(','), ...lines].join('\n');
}

function sampleRow(sample: Omit<SampleJson, 'time'>): Row {
  return {
    saved_bytes: sample.savedBytes,
    free_bytes: sample.freeBytes,
    total_bytes: sample.totalBytes,
    committed_bytes: sample.committedBytes,
    guest_count: sample.guestCount,
    run: sample.run,
    profit_bytes: sample.profitBytes,
    ksmd_cpu_nanos: sample.ksmdCpuNanos,
    ksmd_percent: sample.ksmdPercent,
    pages_scanned: sample.pagesScanned,
    freed_bytes: sample.freedBytes,
  };
}

/** A spreadsheet takes a text that begins so for a formula, and runs it. */
const FORMULA = /^[=+\-@]/;

function csvCell(value: string | number | undefined): string {
  const text = typeof value === 'string' ? clean(value) : String(value ?? '');
  if (typeof value === 'string' && FORMULA.test(text)) return `"'${text.replaceAll('"', '""')}"`;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function samplesOf({ samples }: History): readonly SampleJson[] {
  const before = new Map(stretchesOf(samples).map((stretch) => [stretch.last, stretch]));
  return samples.map((sample: HistorySample): SampleJson => {
    const stretch = before.get(sample);
    const percent = stretch === undefined ? undefined : ksmdPercent([stretch]);
    return {
      time: isoTime(sample.atMillis),
      savedBytes: sample.savedBytes,
      freedBytes: sample.freedBytes,
      freeBytes: sample.freeBytes,
      totalBytes: sample.totalBytes,
      committedBytes: sample.committedBytes,
      guestCount: sample.guestCount,
      run: sample.run,
      profitBytes: sample.profitBytes,
      ksmdCpuNanos: sample.ksmdCpuNanos,
      ksmdPercent: percent === undefined ? undefined : Number(percent.toFixed(2)),
      pagesScanned: sample.pagesScanned,
    };
  });
}

function isoTime(atMillis: number): Time {
  return new Date(atMillis).toISOString();
}
