import { formatBytes } from '../../../src/core/format.js';
import type { Scenario } from '../../../src/simulation/step.js';
import type { CurvePoint } from '../../../src/simulation/curve.js';
import { atTime } from './curve.js';
import { type Figures, integral } from './figures.js';
import type { HostMemory } from './hostMemory.js';
import type { Told } from './startTuner.js';
import type { Outcome } from './trial.js';
import type { TunerName } from './tuners.js';

/** What the simulation says of the same tuner in the same scenario; undefined is never. */
export interface Expected {
  readonly to90Millis: number | undefined;
  /** ksmd's CPU time until then. */
  readonly to90KsmdCpuMillis: number | undefined;
}

/** Undefined where the simulation does not know the tuner. */
export type Expect = (tuner: TunerName) => Expected | undefined;

interface Column {
  readonly title: readonly [string, string];
  readonly cell: (outcome: Outcome) => string;
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const NOT_THERE = '-';
const NEVER = 'never';

const TUNER_COLUMN: Column = { title: ['', 'tuner'], cell: ({ tuner }) => tuner };

/** What happens, and then one row a tuner; below that, where guests stay, one more of the memory that was gained. */
export function table(scenario: Scenario, outcomes: readonly Outcome[], expect: Expect): string {
  const columns = [
    TUNER_COLUMN,
    ...(scenario.gainMiB > 0 ? gainColumns(scenario, expect) : []),
    ...(outcomes.some(({ guestsReadyMillis }) => guestsReadyMillis !== undefined) ? readyColumns(outcomes) : []),
    ...regretColumns(outcomes),
    ...COMMON_COLUMNS,
  ] satisfies Column[];
  const steady = outcomes.flatMap((outcome) => (outcome.memory === undefined ? [] : [outcome]));
  const gained = steady.length > 0 ? ['', ...lines(MEMORY_COLUMNS, steady)] : [];
  return [`${scenario.name}: ${describe(scenario)}`, '', ...lines(columns, outcomes), ...gained, ''].join('\n');
}

function lines(columns: readonly Column[], outcomes: readonly Outcome[]): string[] {
  const rows = [0, 1].map((line) => columns.map(({ title }) => title[line] ?? ''));
  rows.push(...outcomes.map((outcome) => columns.map(({ cell }) => cell(outcome))));
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  const [above = '', below = '', ...body] = rows.map((row) =>
    row
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join('  '),
  );
  return [above, below, '-'.repeat(below.length), ...body];
}

function describe({ summary, gainMiB, converged, then }: Scenario): string {
  const gain = gainMiB > 0 ? `${formatBytes(gainMiB * MIB)} to gain` : 'nothing to gain';
  const starts = then.some(({ kind }) => kind === 'start');
  const arrival = starts ? 'when the guest is ready' : 'when the change is done';
  const clock = converged ? arrival : starts ? 'with the first start' : 'with the tuner';
  return `${summary}; ${gain}; the clock starts ${clock}`;
}

function gainColumns(scenario: Scenario, expect: Expect): Column[] {
  const reach = (share: '50' | '90' | '99') => (outcome: Outcome) => outcome.figures[`to${share}`];
  const told = (millis: number | undefined) => (millis === undefined ? NEVER : seconds(millis));
  const expected = (read: (expected: Expected) => number | undefined) => {
    return ({ tuner }: Outcome) => optional(expect(tuner), (known) => told(read(known)));
  };
  const sinceBegin: Column = {
    title: ['since it', 'began, s'],
    cell: (outcome) => told(reach('90')(outcome)?.sinceBeginMillis),
  };
  return [
    { title: ['time to', '50 %, s'], cell: (outcome) => told(reach('50')(outcome)?.millis) },
    { title: ['time to', '90 %, s'], cell: (outcome) => told(reach('90')(outcome)?.millis) },
    ...(scenario.converged ? [sinceBegin] : []),
    { title: ['simu-', 'lated, s'], cell: expected(({ to90Millis }) => to90Millis) },
    { title: ['time to', '99 %, s'], cell: (outcome) => told(reach('99')(outcome)?.millis) },
    { title: ['CPU to', '90 %, s'], cell: (outcome) => told(reach('90')(outcome)?.ksmdCpuMillis) },
    { title: ['simu-', 'lated, s'], cell: expected(({ to90KsmdCpuMillis }) => to90KsmdCpuMillis) },
    { title: ['CPU to', '99 %, s'], cell: (outcome) => told(reach('99')(outcome)?.ksmdCpuMillis) },
    { title: ['of the', 'gain'], cell: ({ figures: { reachedShare = 0 } }) => shareText(reachedShare) },
  ];
}

/** Guests that are started: what KSM costs them. */
function readyColumns(outcomes: readonly Outcome[]): Column[] {
  const off = outcomes.find(({ tuner }) => tuner === 'off')?.guestsReadyMillis;
  const ready: Column = {
    title: ['guests', 'ready, s'],
    cell: ({ guestsReadyMillis }) => optional(guestsReadyMillis, seconds),
  };
  if (off === undefined) return [ready];
  const late = (millis: number) => `${millis < off ? '-' : '+'}${seconds(Math.abs(millis - off))}`;
  return [ready, { title: ['against', 'off, s'], cell: ({ guestsReadyMillis }) => optional(guestsReadyMillis, late) }];
}

/**
 * The regret: what is missing to 100 % is the most that anybody who knows the future could have saved beyond it, because nothing saves more
 * than ksmd flat out, at whatever CPU. Over the time for which both were watched.
 */
function regretColumns(outcomes: readonly Outcome[]): Column[] {
  const flatOut = outcomes.find(({ tuner }) => tuner === 'flat-out')?.curve ?? [];
  const whole = savedUntil(flatOut, Number.POSITIVE_INFINITY);
  if (whole <= 0) return [];
  const cell = ({ curve }: Outcome) => {
    const untilMillis = Math.min(curve.at(-1)?.atMillis ?? 0, flatOut.at(-1)?.atMillis ?? 0);
    return shareText(savedUntil(curve, untilMillis) / savedUntil(flatOut, untilMillis));
  };
  return [{ title: ['integral, of', 'flat out'], cell }];
}

/** Summed up over the seconds from the clock's start, beyond what was saved then. */
function savedUntil(curve: readonly CurvePoint[], untilMillis: number): number {
  const watched = curve.filter(({ atMillis }) => atMillis <= untilMillis);
  return watched.length < 2 ? 0 : integral(watched, 0, atTime(watched, 0).savedBytes);
}

const COMMON_COLUMNS: readonly Column[] = [
  { title: ['saved', 'GiB'], cell: ({ figures }) => gibibytes(figures.savedBytes) },
  { title: ['integral', 'GiB s'], cell: ({ figures }) => (figures.integralByteSeconds / GIB).toFixed(0) },
  { title: ['at rest', 's'], cell: ({ figures: { rest } }) => (rest === undefined ? NEVER : seconds(rest.millis)) },
  { title: ['CPU to', 'rest, s'], cell: ({ figures: { rest } }) => optional(rest?.ksmdCpuMillis, seconds) },
  { title: ['CPU in', 'all, s'], cell: ({ figures }) => seconds(figures.ksmdCpuMillis) },
  { title: ['calm', 'CPU, s'], cell: ({ figures }) => calm(figures) },
  { title: ['busiest', '10 s, %'], cell: ({ figures }) => figures.busiestPercent.toFixed(0) },
  { title: ['waited', 's'], cell: ({ ksmdWaitedMillis }) => seconds(ksmdWaitedMillis) },
  { title: ['records', 'MiB'], cell: ({ bookkeepingBytes }) => optional(bookkeepingBytes, mebibytes) },
  { title: ['tuner', 'CPU, s'], cell: ({ usage }) => optional(usage?.cpuMillis, seconds) },
  { title: ['tuner', 'MiB'], cell: ({ usage }) => optional(usage?.residentBytes, mebibytes) },
];

/** Of guests that stay. */
const MEMORY_COLUMNS: readonly Column[] = [
  TUNER_COLUMN,
  { title: ['MemAvailable', 'gained, GiB'], cell: ({ memory }) => optional(memory, inGibibytes(gainedBytes)) },
  { title: ['its integral', 'GiB s'], cell: ({ memory, curve }) => optional(memory, availableIntegral(curve)) },
  {
    title: ["guests' Pss_Anon", 'fell, GiB'],
    cell: ({ memory }) => optional(memory, inGibibytes(fallBytes('guestsOwnBytes'))),
  },
  {
    title: ["guests' RssAnon", 'fell, GiB'],
    cell: ({ memory }) => optional(memory, inGibibytes(fallBytes('guestsAnonBytes'))),
  },
  { title: ['huge pages', 'at first, GiB'], cell: ({ memory }) => optional(memory?.[0].hugeBytes, gibibytes) },
  { title: ['huge pages', 'at last, GiB'], cell: ({ memory }) => optional(memory?.[1].hugeBytes, gibibytes) },
  { title: ["KSM's counters", 'say, GiB'], cell: ({ countedBytes }) => gibibytes(countedBytes) },
  { title: ['records', 'MiB'], cell: ({ bookkeepingBytes }) => optional(bookkeepingBytes, mebibytes) },
  { title: ['samepaged: shared,', 'zero, freed, GiB'], cell: ({ told }) => optional(told, toldText) },
  {
    title: ['told less records,', 'to MemAvailable'],
    cell: (outcome) => offText(outcome, outcome.bookkeepingBytes ?? 0, gainedBytes),
  },
  { title: ['told,', 'to Pss_Anon'], cell: (outcome) => offText(outcome, 0, fallBytes('guestsOwnBytes')) },
];

type BeginAndEnd = readonly [HostMemory, HostMemory];

function gainedBytes([begin, end]: BeginAndEnd): number {
  return end.availableBytes - begin.availableBytes;
}

/** Counters of rewritten pages stay until ksmd comes to them; MemAvailable shows at once that they are there again. */
function availableIntegral(curve: Outcome['curve']) {
  return ([{ availableBytes }]: BeginAndEnd) => {
    const available = curve.map((point) => ({ ...point, savedBytes: point.availableBytes }));
    return (integral(available, 0, availableBytes) / GIB).toFixed(0);
  };
}

function fallBytes(figure: keyof HostMemory) {
  return ([begin, end]: BeginAndEnd) => begin[figure] - end[figure];
}

function inGibibytes(read: (memory: BeginAndEnd) => number) {
  return (memory: BeginAndEnd) => gibibytes(read(memory));
}

function toldText({ sharedBytes, zeroBytes, freedBytes }: Told): string {
  return [sharedBytes, zeroBytes, freedBytes].map(gibibytes).join(' + ');
}

/** How far what samepaged says is from what was gained; MemAvailable has the memory of the records off. */
function offText({ memory, told }: Outcome, recordsBytes: number, read: (memory: BeginAndEnd) => number): string {
  if (memory === undefined || told === undefined || read(memory) <= 0) return NOT_THERE;
  const toldBytes = told.sharedBytes + told.zeroBytes + told.freedBytes - recordsBytes;
  const percent = (toldBytes / read(memory) - 1) * 100;
  return `${percent < 0 ? '' : '+'}${percent.toFixed(1)} %`;
}

/** A calm that was not watched has no length. */
function calm({ calmKsmdCpuMillis, calmMillis }: Figures): string {
  return calmMillis < 1000 ? NOT_THERE : seconds(calmKsmdCpuMillis);
}

/** The guests' kernels are alike too, so that more than the gain can be had. */
function shareText(share: number): string {
  // Pages of the guests' own kernels come and go a little: that is no loss.
  return share >= 0.99 ? 'all' : `${Math.max(share * 100, 0).toFixed(0)} %`;
}

function optional<T>(value: T | undefined, format: (value: T) => string): string {
  return value === undefined ? NOT_THERE : format(value);
}

function seconds(millis: number): string {
  return (millis / 1000).toFixed(1);
}

function gibibytes(bytes: number): string {
  return (bytes / GIB).toFixed(2);
}

function mebibytes(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}
