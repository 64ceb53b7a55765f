import { inSentence } from '../../text/shellWord.js';
import { formatBytes } from '../../core/format.js';
import { describeOtherMergers } from '../../core/otherMergers.js';
import { memoryRemedy } from '../../text/guestRemedy.js';
import { type GuestMemory, type Mergeability, OBSTACLES, type Obstacle } from '../../core/mergeability.js';
import { clean } from '../../text/clean.js';
import type { GuestsReport } from './report.js';
import { type Terminal, indented } from '../../text/terminal.js';
import { type Line, type Means, fill, print } from '../../text/cells.js';
import { GAP, columnWidths, padded } from '../../text/table.js';

/** A name is not cut shorter, however narrow the terminal. */
const LEAST_NAME_COLUMNS = 8;
const UNITS = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'] as const;

interface Column {
  readonly heading: readonly [string, string];
  readonly isNumber: boolean;
  readonly cell: (guest: GuestMemory) => string;
  /** The column is shown where this is so of a guest; always unless given. */
  readonly onlyWhere?: (guest: GuestMemory) => boolean;
}

const COLUMNS: readonly Column[] = [
  { heading: ['', 'GUEST'], isNumber: false, cell: ({ name }) => clean(name) },
  { heading: ['', 'MEMORY'], isNumber: true, cell: ({ configuredBytes }) => shortBytes(configuredBytes) },
  { heading: ['', 'RESIDENT'], isNumber: true, cell: ({ residentBytes }) => shortBytes(residentBytes) },
  { heading: ['MERGED', 'PAGES'], isNumber: true, cell: ({ mergedPages }) => String(mergedPages ?? '-') },
  { heading: ['MERGED', 'MEMORY'], isNumber: true, cell: ({ mergedBytes }) => shortBytes(mergedBytes) },
  { heading: ['', 'FREED'], isNumber: true, cell: ({ freedBytes }) => shortBytes(freedBytes), onlyWhere: hasFreed },
  { heading: ['', 'PROFIT'], isNumber: true, cell: ({ profitBytes }) => shortBytes(profitBytes) },
  { heading: ['', 'MERGEABLE'], isNumber: false, cell: mergeable },
];

/** Shown where the terminal is wide enough for it, and to programs. */
const CGROUP: Column = {
  heading: ['', 'CGROUP'],
  isNumber: false,
  cell: ({ cgroup = '-' }) => cgroup,
  onlyWhere: ({ cgroup }) => cgroup !== undefined,
};

/** 80 columns do for names of some 17 characters; a terminal shows of a longer one what there is room for. */
export function guestsTable(
  { guests, hostSavedBytes, otherMergers, notes: told }: GuestsReport,
  terminal: Terminal,
): string {
  const others =
    otherMergers === undefined || otherMergers.count === 0 ? [] : [`${describeOtherMergers(otherMergers)}.`];
  const notes = [...others, ...told];
  const sentences = (texts: readonly string[]) => texts.flatMap((text) => indented(text, 0, terminal));
  if (guests.length === 0) return ['no guest is running', ...sentences(notes)].join('\n');
  const shown = (all: readonly Column[]) => all.filter(({ onlyWhere = () => true }) => guests.some(onlyWhere));
  const wide = shown([...COLUMNS, CGROUP]);
  const columns = isWide(rowsOf(wide, guests), terminal) ? wide : shown(COLUMNS);
  const rows = rowsOf(columns, guests);
  const widths = widthsOf(rows, terminal);
  const lines = rows.map((row) => print(lineOf(columns, row, widths), meansOf(terminal)));
  const remarks = sentences([...legend(guests, hostSavedBytes), ...notes]);
  return [...lines, ...(remarks.length === 0 ? [] : ['', ...remarks])].join('\n');
}

function rowsOf(columns: readonly Column[], guests: readonly GuestMemory[]): readonly (readonly string[])[] {
  const headings = [0, 1].map((line) => columns.map(({ heading }) => heading[line] ?? ''));
  return [...headings, ...guests.map((guest) => columns.map(({ cell }) => cell(guest)))];
}

/** Whether every cell fits as it is. */
function isWide(rows: readonly (readonly string[])[], { columns, interactive }: Terminal): boolean {
  return !interactive || columnWidths(rows).reduce((sum, width) => sum + width + GAP.length, 0) <= columns;
}

function widthsOf(rows: readonly (readonly string[])[], { columns, interactive }: Terminal): readonly number[] {
  const [name = 0, ...others] = columnWidths(rows);
  const left = columns - others.reduce((sum, width) => sum + GAP.length + width, 0);
  return [interactive ? Math.min(name, Math.max(left, LEAST_NAME_COLUMNS)) : name, ...others];
}

function lineOf(columns: readonly Column[], row: readonly string[], widths: readonly number[]): Line {
  return columns.flatMap(({ isNumber }, at) => {
    const [text, width] = [row[at] ?? '', widths[at] ?? 0];
    return [...fill([{ text: padded(text, width, isNumber) }], width), { text: GAP }];
  });
}

/** What allows merging, in the words of the manager of the first such guest. */
function remedyOf(obstacle: Obstacle, guests: readonly GuestMemory[]): string {
  if (obstacle === 'taken back') return '; samepagectl guests allow --now -- NAME offers it again';
  if (obstacle !== 'nosharepages') return '';
  const first = guests.find(({ mergeability }) => mergeability?.obstacles.includes(obstacle));
  if (first?.manager === 'libvirt') return '; samepagectl guests allow -- NAME allows it';
  const remedy = first && memoryRemedy(first, 'allow');
  return remedy === undefined ? '' : `; ${inSentence(remedy)}`;
}

function hasFreed({ freedBytes = 0 }: GuestMemory): boolean {
  return freedBytes > 0;
}

/** A program gets names as they are. */
function meansOf({ interactive, unicode }: Terminal): Means {
  return { colour: false, unicode: unicode || !interactive };
}

function mergeable({ mergeability }: GuestMemory): string {
  if (mergeability === undefined) return '-';
  const obstacles = shownObstacles(mergeability);
  if (obstacles.length > 0) return `no: ${obstacles.join(', ')}`;
  return mergeability.locked ? 'yes, locked' : 'yes';
}

/** What was forbidden by hand needs no further reason. */
function shownObstacles(mergeability: Mergeability | undefined): readonly Obstacle[] {
  const obstacles = mergeability?.obstacles ?? [];
  return obstacles.includes('nosharepages') ? ['nosharepages'] : obstacles;
}

function legend(guests: readonly GuestMemory[], hostSavedBytes: number | undefined): readonly string[] {
  const named = new Set(guests.flatMap(({ mergeability }) => shownObstacles(mergeability)));
  const lines = [...named].map((obstacle) => `${obstacle}: ${OBSTACLES[obstacle]}${remedyOf(obstacle, guests)}`);
  lines.push(...guests.flatMap(nextStart));
  if (guests.some(({ mergeability }) => mergeability?.mergeable === true && mergeability.locked)) {
    lines.push('locked: KSM merges locked memory too; a write to a merged page then has to copy it');
  }
  if (guests.some(hasFreed)) {
    lines.push(
      'FREED is what splitting its huge pages gave back, as far as samepaged watched it; it is part of PROFIT.',
    );
  }
  if (guests.some(({ mergedPages }) => (mergedPages ?? 0) > 0)) {
    lines.push(
      "MERGED MEMORY is what a guest's merged pages amount to, not what it alone frees: of equal pages one copy stays. " +
        'PROFIT is that less what KSM keeps in memory for the guest.' +
        (hostSavedBytes === undefined ? '' : ` In all KSM saves ${formatBytes(hostSavedBytes)} here.`),
    );
  }
  return lines;
}

/** What its next start changes. */
function nextStart({ name, mergeability, allowedNext }: GuestMemory): readonly string[] {
  if (mergeability === undefined || allowedNext === undefined) return [];
  const isForbidden = mergeability.obstacles.some((name) => name === 'nosharepages' || name === 'taken back');
  if (isForbidden !== allowedNext) return [];
  return [`${clean(name)}: from its next start on KSM may ${allowedNext ? '' : 'not '}merge its memory`];
}

/** A whole number or two digits, with a binary unit, as `free -h` does it: 512Mi, 1.5Gi, -3.2Mi, 0. */
function shortBytes(bytes: number | undefined): string {
  if (bytes === undefined) return '-';
  let [value, unit] = [Math.abs(bytes), 0];
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? value.toFixed(1) : String(Math.round(value));
  return `${bytes < 0 ? '-' : ''}${digits}${UNITS[unit] ?? ''}`;
}
