import { widthOf } from './cells.js';
import { type Style, type Terminal, indented } from './terminal.js';

/** Between two columns. */
export const GAP = '  ';

type Cells = readonly string[];
/** A topic and what is said of it. */
export type Row = readonly [topic: string, text: string, style?: Style | undefined];

/** How wide each column must be for all of its cells, in cells of a terminal. */
export function columnWidths(rows: readonly Cells[]): readonly number[] {
  const count = Math.max(0, ...rows.map(({ length }) => length));
  return Array.from({ length: count }, (_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))));
}

/** A line for each row, its columns below each other; numbers stand at the right of theirs. */
export function alignedRows(
  rows: readonly Cells[],
  isNumber: (column: number) => boolean = () => false,
): readonly string[] {
  const widths = columnWidths(rows);
  return rows.map((row) => {
    const cells = row.map((cell, column) => padded(cell, widths[column] ?? 0, isNumber(column)));
    return cells.join(GAP).trimEnd();
  });
}

/**
 * Topics with what is said of them beside them; a text that is too long goes on below itself, a
 * topic wider than `topicColumns` has a line of its own.
 */
export function topicRows(
  rows: readonly Row[],
  terminal: Terminal,
  topicColumns = columnWidths(rows.map(([topic]) => [topic]))[0] ?? 0,
): readonly string[] {
  const indent = topicColumns + 2 * GAP.length;
  return rows.flatMap(([topic, text, style]) => {
    const [first = '', ...more] = indented(text, indent, terminal, style);
    return widthOf(topic) > topicColumns
      ? [GAP + topic, first, ...more]
      : [GAP + padded(topic, topicColumns) + GAP + first.slice(indent), ...more];
  });
}

/** `text` padded to at least `columns` cells of a terminal. */
export function padded(text: string, columns: number, atRight = false): string {
  const blanks = ' '.repeat(Math.max(columns - widthOf(text), 0));
  return atRight ? blanks + text : text + blanks;
}
