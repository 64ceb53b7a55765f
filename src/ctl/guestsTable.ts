import { formatBytes } from '../core/format.js';
import { type GuestMemory, OBSTACLES, type Obstacle } from '../core/guestMemory.js';
import type { GuestsReport } from './guestsReport.js';

const WIDTH = 80;
const GAP = '  ';
const UNITS = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'] as const;

interface Column {
  readonly heading: readonly [string, string];
  readonly isNumber: boolean;
  readonly cell: (guest: GuestMemory) => string;
}

const COLUMNS: readonly Column[] = [
  { heading: ['', 'GUEST'], isNumber: false, cell: ({ name }) => name },
  { heading: ['', 'MEMORY'], isNumber: true, cell: ({ configuredBytes }) => shortBytes(configuredBytes) },
  { heading: ['', 'RESIDENT'], isNumber: true, cell: ({ residentBytes }) => shortBytes(residentBytes) },
  { heading: ['MERGED', 'PAGES'], isNumber: true, cell: ({ mergedPages }) => String(mergedPages ?? '-') },
  { heading: ['MERGED', 'MEMORY'], isNumber: true, cell: ({ mergedBytes }) => shortBytes(mergedBytes) },
  { heading: ['', 'PROFIT'], isNumber: true, cell: ({ profitBytes }) => shortBytes(profitBytes) },
  { heading: ['', 'MERGEABLE'], isNumber: false, cell: mergeable },
];

/** For 80 columns, with guests' names of up to some 17 characters. */
export function guestsTable({ guests, hostSavedBytes, notes }: GuestsReport): string {
  if (guests.length === 0) return ['no guest is running', ...notes.flatMap(wrap)].join('\n');
  const rows = [0, 1].map((line) => COLUMNS.map(({ heading }) => heading[line] ?? ''));
  rows.push(...guests.map((guest) => COLUMNS.map(({ cell }) => cell(guest))));
  const widths = COLUMNS.map((_column, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  const lines = rows.map((row) =>
    row
      .map((text, at) =>
        COLUMNS[at]?.isNumber === true ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0),
      )
      .join(GAP)
      .trimEnd(),
  );
  const remarks = [...legend(guests, hostSavedBytes), ...notes].flatMap(wrap);
  return [...lines, ...(remarks.length === 0 ? [] : ['', ...remarks])].join('\n');
}

function mergeable({ mergeability }: GuestMemory): string {
  if (mergeability === undefined) return '-';
  const [obstacle] = mergeability.obstacles;
  if (obstacle !== undefined) return `no: ${obstacle}`;
  return mergeability.locked ? 'yes, locked' : 'yes';
}

function legend(guests: readonly GuestMemory[], hostSavedBytes: number | undefined): readonly string[] {
  const named = new Set(guests.flatMap(({ mergeability }) => mergeability?.obstacles.slice(0, 1) ?? []));
  const lines = [...named].map((obstacle: Obstacle) => `${obstacle}: ${OBSTACLES[obstacle]}`);
  if (guests.some(({ mergeability }) => mergeability?.mergeable === true && mergeability.locked)) {
    lines.push('locked: KSM merges locked memory too; a write to a merged page then has to copy it');
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

/** Lines of at most 80 columns, broken at blanks; a word that is longer stays whole. */
function wrap(text: string): readonly string[] {
  if (text.length <= WIDTH) return [text];
  const before = text.lastIndexOf(' ', WIDTH);
  const at = before < 0 ? text.indexOf(' ') : before;
  return at < 0 ? [text] : [text.slice(0, at), ...wrap(text.slice(at + 1))];
}
