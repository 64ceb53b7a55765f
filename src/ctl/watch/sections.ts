import { formatBytes, plural } from '../../core/format.js';
import { formatDuration } from '../../core/duration.js';
import { describeStage } from '../../core/mergeStage.js';
import { stageOf } from '../../api/stage.js';
import { clean } from '../../text/clean.js';
import { clockTime } from '../../text/clock.js';
import { wrap } from '../../text/wrap.js';
import { isMerging, merging } from '../status/screen.js';
import { type Line, clip, ends, lineWidth } from '../../text/cells.js';
import type { Style } from '../../text/terminal.js';
import type { GuestNow, LogEntry, WatchState } from './model.js';

interface Area {
  readonly columns: number;
  readonly rows: number;
}

/** Whether KSM is merging, by whose word, where, and when. */
export function heading(state: WatchState, columns: number): Line {
  const { host, daemon, hostName, nowMillis, unreadable } = state;
  const left: Line = [
    ...(host === undefined
      ? [{ text: unreadable === undefined ? 'KSM' : 'KSM cannot be read', ink: 'strong' as const }]
      : [{ text: `KSM ${merging(host)}`, ink: isMerging(host) ? ('good' as const) : ('strong' as const) }]),
    ...holdOf(state),
    ...(daemon === undefined ? [] : [{ text: ` · ${policyOf(daemon.policy, daemon.configuredPolicy)}` }]),
    ...(daemon?.dryRun === true ? [{ text: ' · a dry run', ink: 'warning' as const }] : []),
  ];
  const clock = clockTime(nowMillis, true);
  return ends(left, [[{ text: `${clean(hostName)}  ${clock}` }], [{ text: clock }]], columns);
}

function policyOf(policy: string, configured: string): string {
  return policy === configured ? policy : `${policy}, set by hand`;
}

function holdOf({ daemon, nowMillis }: WatchState): Line {
  if (daemon === undefined || daemon.hold === '') return [];
  const leftMillis = daemon.holdUntilUSec / 1000 - nowMillis;
  const ending = daemon.holdUntilUSec === 0 ? '' : ` for another ${formatDuration(Math.max(leftMillis, 0))}`;
  return [{ text: ` · ${clean(daemon.hold)} by hand${ending}`, ink: 'warning' }];
}

/** That the daemon is away, the last decision's sentence, and what is wrong; the most important first. */
export function sentences(state: WatchState, { columns, rows }: Area): readonly Line[] {
  const lines = paragraphs(state).flatMap(([text, ink]) =>
    folded(text, columns).map((line): Line => [{ text: line, ink }]),
  );
  if (lines.length <= rows) return lines;
  const last = lines[rows - 1] ?? [];
  return [...lines.slice(0, Math.max(rows - 1, 0)), clip([...last, { text: ' …' }], columns)];
}

function paragraphs({ away, daemon, unreadable, nowMillis }: WatchState): readonly (readonly [string, Style?])[] {
  const said: [string, Style?][] = [];
  if (away !== undefined) {
    const since = nowMillis - away.sinceMillis >= 1000 ? ` since ${clockTime(away.sinceMillis, true)}` : '';
    const detail = away.detail === undefined ? '' : ` (${away.detail})`;
    said.push([`${away.why}: waiting for it${since}; the figures are the kernel's own${detail}`, 'bad']);
  }
  if (unreadable !== undefined) said.push([unreadable, 'bad']);
  if (daemon === undefined) return away === undefined ? [...said, ['asking samepaged ...']] : said;
  const { failure, sentence, problems } = daemon.lastRetune;
  const before = away === undefined ? '' : 'last decision: ';
  const stage = stageOf(daemon.lastRetune);
  if (failure === undefined) said.push([`${before}${sentence ?? 'no decision yet'}`]);
  else said.push([`the last retune failed: ${failure}`, 'bad']);
  if (stage !== undefined && stage.name !== 'done') said.push([describeStage(stage), 'strong']);
  const libvirt = daemon.libvirtConnected ? [] : ['libvirt is not connected, guests are found in /proc'];
  for (const problem of [...libvirt, ...problems]) said.push([`warning: ${problem}`, 'warning']);
  return said;
}

/** The guests, those that save most first, as many as there is room for. */
export function guestTable(state: WatchState, { columns, rows }: Area): readonly Line[] {
  const { guests, guestNotes, daemon } = state;
  const nothing = daemon?.guestCount === 0 ? 'none is running' : 'none can be seen from here';
  const note: readonly Line[] = guestNotes
    .slice(0, 1)
    .map((text) => clip([{ text: clean(text), ink: 'dim' }], columns));
  if (guests.length === 0) return [[{ text: `GUESTS  ${nothing}`, ink: 'dim' }] as Line, ...note].slice(0, rows);
  const room = Math.max(rows - 1 - (rows > 3 ? note.length : 0), 0);
  const names = columns - FIGURES_COLUMNS;
  const title = `${plural(guests.length, 'guest')}${guests.length > room ? `, the first ${room}` : ''}`.toUpperCase();
  const lines: readonly Line[] = [
    [{ text: `${title.padEnd(names)}${cells(['RESIDENT', 'MERGED', 'PROFIT'])}`, ink: 'dim' }],
    ...guests.slice(0, room).map((guest) => guestLine(guest, names)),
    ...note,
  ];
  return lines.slice(0, rows).map((line) => clip(line, columns));
}

const CELL_COLUMNS = 11;
const FIGURES_COLUMNS = 3 * CELL_COLUMNS;

function cells(texts: readonly string[]): string {
  return texts.map((text) => text.padStart(CELL_COLUMNS)).join('');
}

function guestLine({ name, residentBytes, mergedBytes, profitBytes, mergeability }: GuestNow, columns: number): Line {
  const bytes = (value: number | undefined) => (value === undefined ? '-' : formatBytes(value));
  const called = clip([{ text: clean(name) }], columns - 1);
  const pad = { text: ' '.repeat(Math.max(columns - lineWidth(called), 0)) };
  const obstacle = mergeability?.mergeable === false ? mergeability.obstacles[0] : undefined;
  if (obstacle !== undefined) {
    const why = `no: ${obstacle}`.padStart(2 * CELL_COLUMNS);
    return [...called, pad, { text: cells([bytes(residentBytes)]) }, { text: why, ink: 'dim' }];
  }
  return [
    ...called,
    pad,
    { text: cells([bytes(residentBytes)]) },
    { text: cells([bytes(mergedBytes)]), ink: 'strong' },
    { text: cells([bytes(profitBytes)]), ink: (profitBytes ?? 0) < 0 ? 'warning' : undefined },
  ];
}

const MARKS: Readonly<Record<LogEntry['kind'], readonly [mark: string, ink?: Style]>> = {
  guest: ['*', 'free'],
  decision: [' '],
  failed: ['!', 'bad'],
  daemon: ['!', 'warning'],
};

/** With less, a happening gets a line: the sentence of the last decision is shown in full anyway. */
const FEW_ROWS = 10;

/** What happened, the newest at the top. */
export function happened({ log }: WatchState, { columns, rows }: Area): readonly Line[] {
  const room = rows - 1;
  const most = room < FEW_ROWS ? 1 : 2;
  const lines: Line[] = [];
  for (const entry of log.toReversed()) {
    if (lines.length >= room) break;
    lines.push(...entryLines(entry, columns, Math.min(most, room - lines.length)));
  }
  const title: Line = [{ text: log.length === 0 ? 'EVENTS  none so far' : 'EVENTS', ink: 'dim' }];
  return [title, ...lines].slice(0, Math.max(rows, 0));
}

/**
 * The time, a mark for those who do not see colours, and the text in at most `most` lines. Of a decision that is too long
 * the end is shown: what was decided.
 */
export function entryLines(entry: LogEntry, columns: number, most: number): readonly Line[] {
  const [mark, ink] = MARKS[entry.kind];
  const before = `${clockTime(entry.atMillis, true)} ${mark} `;
  const indent = before.length;
  const times = entry.times > 1 ? ` (${entry.times} times)` : '';
  const text = `${entry.text}${times}`;
  const width = Math.max(columns - indent, 1);
  const lines = entry.kind === 'decision' ? lastLines(text, width, most) : folded(text, width);
  return lines.slice(0, most).map((text, at): Line => {
    const ellipsis = at === most - 1 && lines.length > most ? '…' : '';
    const start = at === 0 ? { text: before, ink: ink ?? 'dim' } : { text: ' '.repeat(indent) };
    return clip([start, { text: `${text}${ellipsis}`, ink }], columns);
  });
}

/** The text, or as many of its last words as fit. */
function lastLines(text: string, columns: number, most: number): readonly string[] {
  const words = text.split(' ');
  const shorter = words.map((_, at) => (at === 0 ? text : `…${words.slice(at).join(' ')}`));
  const fitting = shorter.find((part) => folded(part, columns).length <= most);
  return folded(fitting ?? text, columns);
}

/** As wrap(), cleaned, and without a word that is longer than a line. */
function folded(text: string, columns: number): readonly string[] {
  return wrap(clean(text.replaceAll(/\s+/g, ' ')), columns);
}

/** What the keys do, and how to read the screen. */
export function helpLines(columns: number): readonly Line[] {
  const keys: readonly (readonly [string, string])[] = [
    ['r', 'retune now'],
    ['p', 'pause ksmd until p is pressed again'],
    ['?', 'this help, and back'],
    ['q', 'quit; Ctrl-Z suspends, Ctrl-L redraws'],
  ];
  const notes = [
    'Curves go back 10 minutes; ↑ is what their full height stands for. Blank is unknown, _ is nothing.',
    'Free memory is what the policy counts as free. ksmd and the scan rate are means over 5 seconds.',
    'MERGED is what a guest shares; every guest that has a page counts it. PROFIT is that less what KSM keeps for it.',
    'Of decisions with the same reason in a row the last is shown, with their number.',
  ];
  return [
    ...keys.flatMap(([key, does]) =>
      folded(does, Math.max(columns - 5, 1)).map((text, at): Line => {
        return [{ text: (at === 0 ? `  ${key}` : '').padEnd(5), ink: 'strong' }, { text }];
      }),
    ),
    [],
    ...notes.flatMap((note) => folded(note, Math.max(columns, 1)).map((text): Line => [{ text }])),
  ];
}

/** What can be pressed, or for a while what came of it. */
export function footer({ notice, daemon }: WatchState, columns: number): Line {
  if (notice !== undefined) return clip([{ text: clean(notice.text), ink: notice.bad ? 'bad' : 'good' }], columns);
  const held = daemon !== undefined && daemon.hold !== '';
  const keys = [`r retune`, held ? 'p resume' : 'p pause', '? help', 'q quit'];
  return clip([{ text: keys.join(columns < 60 ? ' ' : '   '), ink: 'dim' }], columns);
}
