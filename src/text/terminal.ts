import { styleText } from 'node:util';
import { wrap } from './wrap.js';

/** Where the stream is no terminal. */
const USUAL_COLUMNS = 80;
/** Sentences in longer lines are hard to read. */
const MOST_TEXT_COLUMNS = 100;
const LEAST_COLUMNS = 40;

export interface Terminal {
  readonly columns: number;
  readonly colour: boolean;
  /** Whether it shows more than ASCII. */
  readonly unicode: boolean;
  /** A person reads; a program is not to be handed broken lines. */
  readonly interactive: boolean;
}

/** What stdout or stderr is. https://no-color.org: colour is off where NO_COLOR is set to anything but nothing. */
export function terminalOf(
  { isTTY, columns }: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>,
  environment: NodeJS.ProcessEnv,
): Terminal {
  const wide = isTTY && columns > 0 ? columns : USUAL_COLUMNS;
  return {
    columns: Math.max(LEAST_COLUMNS, wide),
    interactive: isTTY,
    colour: isTTY && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb',
    unicode: showsUnicode(environment),
  };
}

/** As the locale says; but the font of Linux's own console has few of the characters of curves. */
function showsUnicode(environment: NodeJS.ProcessEnv): boolean {
  const locale = ['LC_ALL', 'LC_CTYPE', 'LANG'].map((name) => environment[name]).find((value) => value);
  return /utf-?8/i.test(locale ?? '') && environment['TERM'] !== 'linux';
}

/** Terminals that know colours have these eight; their owners have made each readable on their background. */
const STYLES = {
  strong: ['bold'],
  good: ['bold', 'green'],
  warning: ['bold', 'yellow'],
  bad: ['bold', 'red'],
  dim: ['dim'],
  saved: ['green'],
  free: ['cyan'],
  scan: ['magenta'],
  ksmd: ['yellow'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type Style = keyof typeof STYLES;

/** `text` in a style, or as it is. The caller decides by `colour`: what styleText itself makes of streams and NO_COLOR differs between versions of Node. */
export function paint({ colour }: Pick<Terminal, 'colour'>, style: Style, text: string): string {
  return colour ? styleText([...STYLES[style]], text, { validateStream: false }) : text;
}

/** How wide sentences are. */
function textColumns({ columns }: Terminal): number {
  return Math.min(columns, MOST_TEXT_COLUMNS);
}

/** `text` broken to fit behind `indent` columns of blanks, each line with them and in `style`. */
export function indented(text: string, indent: number, terminal: Terminal, style?: Style): readonly string[] {
  const blanks = ' '.repeat(indent);
  return wrap(text, textColumns(terminal) - indent).map((line) => {
    return `${blanks}${style === undefined ? line : paint(terminal, style, line)}`;
  });
}

/** As indented by 2; what goes on in further lines is indented by `indent`. */
export function hanging(text: string, indent: number, terminal: Terminal): readonly string[] {
  const [first = '', ...more] = indented(text, indent, terminal);
  return [first.slice(indent - 2), ...more];
}

/** Sentences, broken for a person, each indented as it is. */
export function fold(lines: readonly string[], terminal: Terminal): string {
  if (!terminal.interactive) return lines.join('\n');
  return lines.flatMap((line) => folded(line, terminal)).join('\n');
}

function folded(line: string, terminal: Terminal): readonly string[] {
  if (line.length <= textColumns(terminal)) return [line];
  const text = line.trimStart();
  return indented(text, line.length - text.length, terminal);
}
