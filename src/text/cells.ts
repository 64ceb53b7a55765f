import stringWidth from 'fast-string-width';
import { type Style, type Terminal, paint } from './terminal.js';

/** Text in one style; free of control characters and of a known width only after `clean`. */
export interface Span {
  readonly text: string;
  readonly ink?: Style | undefined;
}
export type Line = readonly Span[];

/** What the terminal can show. */
export type Means = Pick<Terminal, 'colour' | 'unicode'>;

/** Most of what a frame has, curves above all; a cell each. */
const USUAL = /^[ -~▁-█│…·↑]*$/;
const ASCII: Readonly<Record<string, string>> = { '…': '~', '·': '-', '↑': '^', '│': '|' };
/** Of what a person takes for one character, which is never cut. Made when it is needed, as that takes 9 ms of CPU. */
let segmenter: Intl.Segmenter | undefined;

/** The cells of a terminal that a cleaned text takes. */
export function widthOf(text: string): number {
  return USUAL.test(text) ? text.length : stringWidth(text.normalize());
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

/** `line` cut or padded to exactly `columns` cells. */
export function fill(line: Line, columns: number): Line {
  const clipped = clip(line, columns);
  return [...clipped, { text: ' '.repeat(Math.max(columns - lineWidth(clipped), 0)) }];
}

/** `left`, and at the other end of the line the first of `rights` for which there is room. */
export function ends(left: Line, rights: readonly Line[], columns: number): Line {
  const right = rights.find((line) => lineWidth(left) + 1 + lineWidth(line) <= columns);
  return right === undefined ? clip(left, columns) : [...fill(left, columns - lineWidth(right)), ...right];
}

/** Two blocks of lines beside each other, the left one `leftColumns` cells wide. */
export function beside(left: readonly Line[], right: readonly Line[], leftColumns: number): readonly Line[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, row) => {
    return [...fill(left[row] ?? [], leftColumns), ...(right[row] ?? [])];
  });
}

/** A line as it is written to the terminal, without blanks at its end. */
export function print(line: Line, means: Means): string {
  return trimmed(line)
    .map(({ text, ink }) => {
      const shown = means.unicode ? text : text.replaceAll(/[^ -~]+/g, inAscii);
      return ink !== undefined && shown.trim() !== '' ? paint(means, ink, shown) : shown;
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
  for (const character of charactersOf(text)) {
    width += widthOf(character);
    if (width > columns) break;
    part += character;
  }
  return part;
}

function inAscii(text: string): string {
  return charactersOf(text)
    .map((character) => ASCII[character] ?? '?'.repeat(widthOf(character)))
    .join('');
}

function charactersOf(text: string): readonly string[] {
  segmenter ??= new Intl.Segmenter();
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}
