import type { Style } from './terminal.js';

/** Terminals that know colours have these eight; their owners have made each readable on their background. */
const CODES = {
  strong: '1',
  good: '1;32',
  warning: '1;33',
  bad: '1;31',
  dim: '2',
  saved: '32',
  free: '36',
  scan: '35',
  ksmd: '33',
} as const satisfies Readonly<Record<Style | 'dim' | 'saved' | 'free' | 'scan' | 'ksmd', string>>;
export type Ink = keyof typeof CODES;

/** Text in one style; free of control characters and of a known width only after `clean`. */
export interface Span {
  readonly text: string;
  readonly ink?: Ink | undefined;
}
export type Line = readonly Span[];

/** What the terminal can show. */
export interface Means {
  readonly colour: boolean;
  /** Whether it shows more than ASCII. */
  readonly unicode: boolean;
}

const TWO_CELLS =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const NO_CELL = /[\p{Mn}\p{Me}]/u;
const ASCII: Readonly<Record<string, string>> = { '…': '~', '·': '-', '↑': '^', '│': '|' };

/** The cells of a terminal that a cleaned text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += cellsOf(character);
  return width;
}

/** `line` in at most `columns` cells; what is cut off shows as an ellipsis. */
export function clip(line: Line, columns: number): Line {
  if (lineWidth(line) <= columns) return line;
  const clipped: Span[] = [];
  let left = columns - 1;
  for (const { text, ink } of line) {
    const part = head(text, left);
    clipped.push({ text: part, ink });
    left -= widthOf(part);
    if (part !== text) break;
  }
  return columns < 1 ? [] : [...clipped, { text: '…' }];
}

/** `line` in exactly so many cells. */
export function fill(line: Line, columns: number): Line {
  const clipped = clip(line, columns);
  return [...clipped, { text: ' '.repeat(Math.max(columns - lineWidth(clipped), 0)) }];
}

/** `left`, and at the other end of the line the first of `rights` for which there is room. */
export function ends(left: Line, rights: readonly Line[], columns: number): Line {
  const right = rights.find((line) => lineWidth(left) + 1 + lineWidth(line) <= columns);
  return right === undefined ? clip(left, columns) : [...fill(left, columns - lineWidth(right)), ...right];
}

/** Two blocks of lines beside each other, the left one in so many cells. */
export function beside(left: readonly Line[], right: readonly Line[], leftColumns: number): readonly Line[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, row) => {
    return [...fill(left[row] ?? [], leftColumns), ...(right[row] ?? [])];
  });
}

/** A line as it is written to the terminal, without blanks at its end. */
export function print(line: Line, { colour, unicode }: Means): string {
  const spans = trimmed(line);
  return spans
    .map(({ text, ink }) => {
      const shown = unicode ? text : text.replaceAll(/[^ -~]/gu, inAscii);
      return colour && ink !== undefined && shown.trim() !== '' ? `\u001b[${CODES[ink]}m${shown}\u001b[0m` : shown;
    })
    .join('');
}

function trimmed(line: Line): Line {
  const last = line.findLastIndex(({ text }) => text.trim() !== '');
  return line.slice(0, last + 1).map((span, at) => (at === last ? { ...span, text: span.text.trimEnd() } : span));
}

export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + widthOf(text), 0);
}

function head(text: string, columns: number): string {
  let [part, width] = ['', 0];
  for (const character of text) {
    width += cellsOf(character);
    if (width > columns) break;
    part += character;
  }
  return part;
}

function cellsOf(character: string): number {
  if (character <= '~') return 1;
  if (NO_CELL.test(character)) return 0;
  return TWO_CELLS.test(character) ? 2 : 1;
}

function inAscii(character: string): string {
  return ASCII[character] ?? '?'.repeat(cellsOf(character));
}
