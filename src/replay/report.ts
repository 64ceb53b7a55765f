import { basename } from 'node:path';
import { formatBytes, plural } from '../core/format.js';
import { formatDuration } from '../core/duration.js';
import type { HistoryDecision } from '../core/history/record.js';
import { HOLD_KINDS } from '../core/hold.js';
import { clockRange, clockTime, shortDate } from '../text/clock.js';
import { type Row, alignedRows, topicRows } from '../text/table.js';
import { type Terminal, fold, hanging } from '../text/terminal.js';
import { cpuTime, differences, resembles } from './comparison.js';
import { foldRepeated } from './folding.js';
import { reachRows } from './reaches.js';
import type { Replay, Trial } from './replay.js';
import type { Summary } from './summary.js';

export interface ReportInput {
  readonly path: string;
  readonly summary: Summary;
  readonly recordedDecisions: readonly HistoryDecision[];
  /** Or why there is none, in a sentence. */
  readonly replay: Replay | string;
  /** Whose figures the recorded policy was given. */
  readonly recordedConfig: string;
  /** What the other is called: its policy, or the file where the policy is the recorded one. */
  readonly otherName: string;
  readonly terminal: Terminal;
}

const NANOS_PER_MILLI = 1e6;
const MIB = 1024 ** 2;

/** What was recorded, what would have been decided, and what it would have come to. */
export function report(input: ReportInput): string {
  const { replay } = input;
  const parts =
    typeof replay === 'string'
      ? [recordedLines(input), decisionLines(input, undefined), refusalLines(replay, input)]
      : [
          recordedLines(input),
          decisionLines(input, replay),
          rebuiltLines(input, replay),
          comparisonLines(input, replay),
        ];
  return parts.map((lines) => lines.map((line) => `${line}\n`).join('')).join('\n');
}

function refusalLines(unknown: string, { terminal }: ReportInput): readonly string[] {
  const subject = "Nothing is simulated or compared: the record does not show how much of the guests' memory is alike";
  return [fold([`${subject} (${unknown}).`], terminal)];
}

function recordedLines({ path, summary, terminal }: ReportInput): readonly string[] {
  const { fromMillis, toMillis, recordedMillis, guests, policies, meanSavedBytes, lastSavedBytes, ksmd } = summary;
  const unknown = recordedMillis - ksmd.millis;
  const share = ksmd.cpuNanos / NANOS_PER_MILLI / Math.max(ksmd.millis, 1);
  const cpu =
    ksmd.millis === 0
      ? 'not recorded'
      : `${cpuTime(ksmd.cpuNanos)} of CPU, ${(share * 100).toFixed(1)} % of a core${unknown > 0 ? `; not recorded for ${formatDuration(unknown)}` : ''}`;
  return [
    `Recorded in ${path}`,
    ...topics(
      [
        ['time', `${clockRange(fromMillis, toMillis)}, ${formatDuration(recordedMillis)} of it recorded`],
        ['guests', `${guests.least} to ${guests.most}, ${guests.last} at the end`],
        ['policy', policies.length === 0 ? 'not recorded' : policies.join(', then ')],
        ['saved', `${formatBytes(meanSavedBytes)} on average, ${formatBytes(lastSavedBytes)} at the end`],
        ['ksmd', cpu],
      ],
      terminal,
    ),
  ];
}

function decisionLines(
  { recordedDecisions, otherName, terminal }: ReportInput,
  replay: Replay | undefined,
): readonly string[] {
  const other = replay?.other;
  const who = other === undefined ? 'replayed' : basename(otherName);
  const made = other === undefined ? 'replayed' : `${otherName} makes them`;
  const lines = [
    ...foldRepeated(recordedDecisions).map((line) => ({ who: 'recorded', ...line })),
    ...foldRepeated((other ?? replay?.recorded)?.decisions ?? []).map((line) => ({ who, ...line })),
  ].toSorted((a, b) => a.atMillis - b.atMillis);
  const heads = table(lines.map((line) => [`${shortDate(line.atMillis)} ${clockTime(line.atMillis, true)}`, line.who]));
  const title = 'Decisions where they change, as recorded';
  return [
    fold([replay === undefined ? title : `${title} and as ${made} on the rebuilt host`], terminal),
    ...topics(
      lines.map(({ text }, index) => [heads[index]?.trimStart() ?? '', text]),
      terminal,
    ),
  ];
}

function rebuiltLines(
  { summary, recordedDecisions, recordedConfig, terminal }: ReportInput,
  replay: Replay,
): readonly string[] {
  const { hosts, alikeShare, costFactor, recorded } = replay;
  const factor =
    costFactor === 1 ? 'what it was measured to' : `${costFactor.toFixed(1)} times what it was measured to`;
  const { meanSavedBytes, ksmdCpuNanos } = recorded.figures;
  const holds = holdsIn(recordedDecisions);
  const granted = [
    `the recorded policy had the figures of ${recordedConfig}; no guest was paused or forbidden by hand`,
    ...(holds === 0 ? [] : [`merging was held by hand ${plural(holds, 'time')}; the replay does not`]),
    `each guest had ${Math.round(alikeShare * 100)} % of its memory in common with all others and rewrote none; it was promised no more than it used`,
    `the host itself used ${ownText(hosts.map(({ host }) => host.ownMiB ?? 0))} throughout; a page cost ksmd ${factor} in the project's laboratory`,
  ];
  const rebuilt = [
    // The one average of a policy is in the table.
    `Under ${recordedName(summary)} the rebuilt host saves ${offWords(meanSavedBytes, summary.meanSavedBytes)} the record (${formatBytes(summary.meanSavedBytes)} on average).`,
    ...(summary.ksmd.millis === 0
      ? []
      : [`ksmd took ${cpuTime(ksmdCpuNanos)} of CPU there; the record says ${cpuTime(summary.ksmd.cpuNanos)}.`]),
  ];
  return [
    fold(['Simulated, on a virtual host that was rebuilt from the record. Assumptions:'], terminal),
    ...granted.flatMap((text) => (terminal.interactive ? hanging(text, 4, terminal) : [`  ${text}`])),
    fold(rebuilt, terminal),
  ];
}

/** How often somebody held merging by hand; a hold that outlives a restart is recorded again. */
function holdsIn(decisions: readonly HistoryDecision[]): number {
  return decisions.filter(
    ({ reason }, index) => HOLD_KINDS.some((kind) => kind === reason) && decisions[index - 1]?.reason !== reason,
  ).length;
}

/** "3 % more memory than" */
function offWords(rebuilt: number, recorded: number): string {
  if (recorded === 0 && rebuilt > 0) return `${formatBytes(rebuilt)} more memory than`;
  const percent = recorded === 0 ? 0 : Math.round((rebuilt / recorded - 1) * 100);
  if (percent === 0) return 'as much memory as';
  return `${Math.abs(percent)} % ${percent > 0 ? 'more' : 'less'} memory than`;
}

function comparisonLines({ summary, otherName, terminal }: ReportInput, replay: Replay): readonly string[] {
  const { recorded, other } = replay;
  if (!resembles(recorded.figures.meanSavedBytes, summary.meanSavedBytes)) {
    const off = 'this host does not resemble the real one, and a comparison on it would mean nothing';
    return [fold([`That is more than 30 % off: ${off}.`], terminal)];
  }
  if (other === undefined) {
    const advice = '--policy NAME or --config FILE brings another';
    return [fold([`There is nothing to compare: this is what was recorded. ${advice}.`], terminal)];
  }
  const isKnown = summary.ksmd.millis === summary.recordedMillis;
  const withCpu = !isKnown || resembles(recorded.figures.ksmdCpuNanos, summary.ksmd.cpuNanos);
  const row = (name: string, value: (trial: Trial) => string) => [name, value(recorded), value(other)];
  return [
    ...table([
      ['', recordedName(summary), basename(otherName)],
      ...reachRows(recorded.figures.to90, other.figures.to90),
      row('saved on average', ({ figures }) => formatBytes(figures.meanSavedBytes)),
      row('ksmd CPU', ({ figures }) => cpuTime(figures.ksmdCpuNanos)),
    ]),
    ...(withCpu ? [] : ["ksmd's CPU is more than 30 % off the record: it is not compared."]),
    fold([`with ${otherName}: ${differences(recorded.figures, other.figures, withCpu)} (simulated)`], terminal),
  ];
}

function recordedName({ policies: [first, ...more] }: Summary): string {
  return first === undefined || more.length > 0 ? 'the recorded policy' : first;
}

function ownText(mebibytes: readonly number[]): string {
  const [least, most] = [Math.min(...mebibytes), Math.max(...mebibytes)].map((each) => formatBytes(each * MIB));
  return least === most ? (least ?? '') : `${least ?? ''} to ${most ?? ''}`;
}

/** Topics with what is said of them beside them, folded for a person. */
function topics(rows: readonly Row[], terminal: Terminal): readonly string[] {
  return terminal.interactive ? topicRows(rows, terminal) : table(rows.map(([topic, text]) => [topic, text]));
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  return alignedRows(rows).map((line) => `  ${line}`);
}
