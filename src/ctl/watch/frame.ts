import { type Line, beside, clip } from '../../text/cells.js';
import type { FrameSize } from '../../text/screen.js';
import { chartGrid, chartRows } from './charts.js';
import type { WatchState } from './model.js';
import { entryLines, footer, guestTable, happened, heading, helpLines, sentences } from './sections.js';

export interface FrameOptions extends FrameSize {
  readonly unicode: boolean;
  /** Whether somebody can press keys. */
  readonly keys: boolean;
  /** What the curves of memory reach up to at least. */
  readonly memoryTopBytes?: number;
}

/** With less there are no curves beside numbers, but numbers with a curve a line high. */
const LEAST_FULL: FrameSize = { columns: 64, rows: 20 };
/** From here on guests and happenings stand beside each other. */
const BESIDE_COLUMNS = 120;
const GAP = 3;
const SENTENCE_ROWS = 3;
const CHART_ROWS = { least: 2, most: 9 } as const;
/** Of what heading, sentence and keys leave, for the curves. */
const CHARTS_SHARE = 0.45;

/** The screen: at most `rows` lines of at most `columns` cells, whatever there is to show. */
export function frame(state: WatchState, options: FrameOptions): readonly Line[] {
  const { columns, rows, keys } = options;
  const last = keys && rows > 2 ? [footer(state, columns)] : [];
  const above = bodyOf(state, { ...options, rows: rows - last.length }).slice(0, rows - last.length);
  const blank = Array.from({ length: last.length === 0 ? 0 : rows - last.length - above.length }, (): Line => []);
  return [...above, ...blank, ...last].slice(0, Math.max(rows, 0)).map((line) => clip(line, columns));
}

function bodyOf(state: WatchState, options: FrameOptions): readonly Line[] {
  const { columns, rows } = options;
  const top = heading(state, columns);
  if (state.help) return [top, ...helpLines(columns)];
  const small = columns < LEAST_FULL.columns || rows < LEAST_FULL.rows;
  return [top, ...(small ? smallBody : fullBody)(state, { ...options, rows: rows - 1 })];
}

function smallBody(state: WatchState, { columns, rows, unicode, memoryTopBytes }: FrameOptions): readonly Line[] {
  const numbers = chartRows(state, { columns, unicode, memoryTopBytes });
  const room = Math.max(Math.min(rows - numbers.length, SENTENCE_ROWS), 1);
  const said = sentences(state, { columns, rows: room });
  const left = rows - said.length - numbers.length;
  const [newest] = state.log.slice(-1);
  if (left < 4) return [...said, ...numbers, ...(newest === undefined ? [] : entryLines(newest, columns, 1))];
  const guests = guestTable(state, { columns, rows: Math.ceil(left / 2) });
  return [...said, ...numbers, ...guests, ...happened(state, { columns, rows: left - guests.length })];
}

function fullBody(state: WatchState, { columns, rows, unicode, memoryTopBytes }: FrameOptions): readonly Line[] {
  const said = sentences(state, { columns, rows: SENTENCE_ROWS });
  const room = rows - SENTENCE_ROWS;
  const height = Math.floor((room * CHARTS_SHARE) / 2) - 1;
  const chartHeight = Math.min(Math.max(height, CHART_ROWS.least), CHART_ROWS.most);
  const charts = chartGrid(state, { columns, rows: chartHeight, unicode, memoryTopBytes });
  const lists = listsOf(state, { columns, rows: room - charts.length - 1 });
  const spare = Array.from({ length: SENTENCE_ROWS - said.length }, (): Line => []);
  return [...said, ...spare, ...charts, [], ...lists];
}

function listsOf(state: WatchState, { columns, rows }: FrameSize): readonly Line[] {
  if (columns >= BESIDE_COLUMNS) {
    const width = Math.min(Math.floor(columns * 0.4), 80);
    const log = happened(state, { columns: columns - width - GAP, rows });
    return beside(guestTable(state, { columns: width, rows }), log, width + GAP);
  }
  const guests = guestTable(state, { columns, rows: Math.floor(rows / 2) });
  return [...guests, ...happened(state, { columns, rows: rows - guests.length })];
}
