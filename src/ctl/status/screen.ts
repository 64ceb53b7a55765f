import { formatBytes, plural } from '../../core/format.js';
import { formatDuration } from '../../core/duration.js';
import { VERSION } from '../../version.js';
import { describeStage } from '../../core/mergeStage.js';
import type { DaemonProperties, RetuneReply } from '../../api/replies.js';
import { stageOf } from '../../api/stage.js';
import { type Row, topicRows } from '../../text/table.js';
import { type Style, type Terminal, indented, paint } from '../../text/terminal.js';

/** The most warnings of the last retune that are shown, so that all fits one screen; `samepagectl retune` shows all. */
const MOST_WARNINGS = 2;
const MOST_TRIGGERS = 3;
/** Where less than this part of available memory would be left; samepagectl unmerge refuses there. */
const CLOSE = 0.1;

/** One screen of 80x24: is KSM merging and why, what it brings, what it costs, and what there is to know beside. */
export function statusScreen(
  properties: DaemonProperties,
  nowMillis: number,
  terminal: Terminal,
  libvirtIsHere = true,
): string {
  const { run, lastRetune } = properties;
  const rows: readonly Row[] = [
    ...burstRow(lastRetune),
    ['saves', saves(properties)],
    ['costs', costs(properties), properties.profitBytes < 0 ? 'warning' : undefined],
    ['headroom', ...headroom(properties)],
    ['pace', run === 1 ? pace(properties) : 'ksmd rests'],
    ['guests', guests(properties)],
    libvirt(properties, libvirtIsHere),
    ['policy', policyInForce(properties)],
    ...holdRow(properties, nowMillis),
    ['retuned', retuned(properties, nowMillis)],
    ['daemon', daemon(properties)],
    ...warnings(lastRetune.problems),
  ];
  return [
    paint(terminal, isMerging(properties) ? 'good' : 'strong', `KSM ${merging(properties)}`),
    ...why(properties, terminal),
    '',
    ...topicRows(rows, terminal),
  ].join('\n');
}

type KsmdPace = Pick<DaemonProperties, 'run' | 'pagesToScan'>;

export function isMerging({ run, pagesToScan }: KsmdPace): boolean {
  return run === 1 && pagesToScan > 0;
}

/** What ksmd does. */
export function merging(pace: KsmdPace): string {
  if (isMerging(pace)) return 'is merging';
  if (pace.run === 1) return 'is on, but ksmd scans nothing (pages_to_scan is 0)';
  return pace.run === 2 ? 'is off and everything is unmerged' : 'is not merging';
}

/** The policy, and whether the configuration says so. */
export function policyInForce({ policy, configuredPolicy }: DaemonProperties): string {
  return policy === configuredPolicy ? policy : `${policy}, set by hand instead of ${configuredPolicy}`;
}

function why({ dryRun, lastRetune }: DaemonProperties, terminal: Terminal): readonly string[] {
  const { failure, sentence, left = [] } = lastRetune;
  if (failure !== undefined) return indented(`the last retune failed: ${failure}`, 2, terminal, 'bad');
  const lines = indented(sentence ?? 'no decision yet', 2, terminal);
  const caveat = dryRun
    ? 'dry run, nothing is changed; the decision:'
    : left.length > 0
      ? `another program sets ${left.join(', ')}, and samepaged leaves that so (KSM_ON_CONFLICT); the decision:`
      : undefined;
  return caveat === undefined ? lines : [...indented(caveat, 2, terminal, 'warning'), ...lines];
}

/** How far merging is. */
function burstRow(retune: RetuneReply): readonly Row[] {
  const stage = stageOf(retune);
  return stage === undefined ? [] : [['burst', describeStage(stage)]];
}

function saves({ savedBytes, freedBytes, beingFreedBytes, guestMemoryBytes, sharingRatio }: DaemonProperties): string {
  const gone = beingFreedBytes > 0 ? `; ${formatBytes(beingFreedBytes)} of stopped guests are being freed` : '';
  if (savedBytes === 0) return `nothing${gone}`;
  const share = (savedBytes / guestMemoryBytes) * 100;
  // Where nobody watched, pages of guests that have gone count until ksmd has passed over them.
  const part = share <= 100 ? `, ${number(share)} % of the guests' ${formatBytes(guestMemoryBytes)}` : '';
  const ratio = sharingRatio > 0 ? ` (ratio ${number(sharingRatio)} : 1)` : '';
  const freed = freedBytes > 0 ? `; ${formatBytes(freedBytes)} of it freed by splitting huge pages` : '';
  return `${formatBytes(savedBytes)}${part}${ratio}${freed}${gone}`;
}

function costs({ ksmdCpuPercent, bookkeepingBytes, profitBytes }: DaemonProperties): string {
  const cpu = ksmdCpuPercent === null ? "ksmd's CPU time is not known" : `ksmd ${number(ksmdCpuPercent)} % of a core`;
  return `${cpu}, bookkeeping ${formatBytes(bookkeepingBytes)}; profit ${formatBytes(profitBytes)}`;
}

/** Could the host take it if every page were written to: each becomes one of its own. */
function headroom({ savedBytes, freedBytes, availableBytes }: DaemonProperties): [string, Style?] {
  if (savedBytes === 0) return ['nothing is shared'];
  const needed = `unmerging${freedBytes > 0 ? ' and using what was freed' : ''} takes ${formatBytes(savedBytes)}, ${formatBytes(availableBytes)} are available`;
  const left = availableBytes - savedBytes;
  if (left < 0) return [`${needed}: ${formatBytes(-left)} short`, 'bad'];
  return left < availableBytes * CLOSE ? [`${needed}: it barely fits`, 'warning'] : [`${needed}: it fits`];
}

function pace({ pagesToScan, sleepMillisecs }: DaemonProperties): string {
  return `${pagesToScan} pages every ${sleepMillisecs} ms`;
}

function guests({ guestCount, guestMemoryBytes }: DaemonProperties): string {
  if (guestCount === 0) return 'none';
  // libvirt's test driver tells no guest's memory.
  return `${plural(guestCount, 'guest')}${guestMemoryBytes > 0 ? `, ${formatBytes(guestMemoryBytes)} in memory` : ''}`;
}

function libvirt({ libvirtConnected }: DaemonProperties, isHere: boolean): Row {
  if (libvirtConnected) return ['libvirt', 'connected'];
  if (!isHere) return ['libvirt', 'none on this host, guests are found in /proc'];
  return ['libvirt', 'not connected, guests are found in /proc; see samepagectl doctor', 'warning'];
}

function holdRow({ hold, holdUntilUSec }: DaemonProperties, nowMillis: number): readonly Row[] {
  if (hold === '') return [];
  const left = holdUntilUSec / 1000 - nowMillis;
  const end = holdUntilUSec === 0 ? '' : `for another ${formatDuration(Math.max(left, 0))}, or `;
  return [['hold', `${hold} by hand ${end}until samepagectl resume`, 'warning']];
}

function retuned({ lastRetune, nextLookUSec }: DaemonProperties, nowMillis: number): string {
  const { realtimeUSec, triggers, failure } = lastRetune;
  const shown = triggers.slice(0, MOST_TRIGGERS).join(', ');
  const more = triggers.length > MOST_TRIGGERS ? ` and ${triggers.length - MOST_TRIGGERS} more` : '';
  const before = realtimeUSec === undefined ? undefined : nowMillis - realtimeUSec / 1000;
  const last = before === undefined ? (failure === undefined ? 'never' : 'failed') : ago(before);
  const next = nextLookUSec === 0 ? '' : `; next ${inTime(nextLookUSec / 1000 - nowMillis)}`;
  return `${last}${shown === '' ? '' : ` (${shown}${more})`}${next}`;
}

function ago(millis: number): string {
  return millis < 1000 ? 'just now' : `${formatDuration(Math.floor(millis / 1000) * 1000)} ago`;
}

function inTime(millis: number): string {
  return millis <= 0 ? 'is due' : `in ${formatDuration(millis)}`;
}

function daemon({ version, dryRun }: DaemonProperties): string {
  const other = version === VERSION ? '' : `; this command is ${VERSION}`;
  return `samepaged ${version}${dryRun ? ', a dry run: nothing is written' : ''}${other}`;
}

function warnings(problems: readonly string[]): readonly Row[] {
  const shown = problems.slice(0, MOST_WARNINGS).map((problem): Row => ['warning', problem, 'warning']);
  const more = problems.length - shown.length;
  return more > 0 ? [...shown, ['warning', `${more} more: samepagectl retune shows them`, 'warning']] : shown;
}

/** Two digits where there are no more before the point. */
function number(value: number): string {
  return value.toFixed(value < 9.95 && value >= 0.05 ? 1 : 0);
}
