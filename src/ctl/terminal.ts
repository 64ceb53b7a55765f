/** Where stdout is no terminal. */
const USUAL_COLUMNS = 80;
/** Longer lines are hard to read. */
const MOST_COLUMNS = 100;
const LEAST_COLUMNS = 40;

export interface Terminal {
  readonly columns: number;
  readonly colour: boolean;
  /** A person reads; a program is not to be handed broken lines. */
  readonly interactive: boolean;
}

/** What stdout is. https://no-color.org: colour is off where NO_COLOR is set to anything but nothing. */
export function terminalOf(
  { isTTY, columns }: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>,
  environment: NodeJS.ProcessEnv,
): Terminal {
  const wide = isTTY && columns > 0 ? columns : USUAL_COLUMNS;
  return {
    columns: Math.max(LEAST_COLUMNS, Math.min(wide, MOST_COLUMNS)),
    interactive: isTTY,
    colour: isTTY && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb',
  };
}

const CODES = { strong: '1', good: '1;32', warning: '33', bad: '1;31' } as const;
export type Style = keyof typeof CODES;

/** `text` in a style, or as it is. */
export function paint({ colour }: Terminal, style: Style, text: string): string {
  return colour ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text;
}

/** The blank between a number and its unit. */
const UNIT_BLANK = /(?<=\d) (?=(?:[KMGTP]i)?B\b|%|(?:ms|s|min|h|d)\b)/g;
const NO_BREAK = '\u00a0';

/** Breaks `text` at spaces into lines of at most `columns`; a longer word stands alone, a number keeps its unit. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines = [''];
  for (const word of text.replace(UNIT_BLANK, NO_BREAK).split(/[ \n]+/)) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => line.replaceAll(NO_BREAK, ' '));
}

/** `text` broken to fit behind `indent` columns of blanks, each line with them and in `style`. */
export function indented(text: string, indent: number, terminal: Terminal, style?: Style): readonly string[] {
  const blanks = ' '.repeat(indent);
  return wrap(text, terminal.columns - indent).map((line) => {
    return `${blanks}${style === undefined ? line : paint(terminal, style, line)}`;
  });
}

/** As indented by 2; what goes on in further lines is indented by `indent`. */
export function hanging(text: string, indent: number, terminal: Terminal): readonly string[] {
  const [first = '', ...more] = indented(text, indent, terminal);
  return [first.slice(indent - 2), ...more];
}

/** Sentences, broken for a person. */
export function fold(lines: readonly string[], terminal: Terminal): string {
  const folded = terminal.interactive ? lines.flatMap((line) => wrap(line, terminal.columns)) : lines;
  return folded.join('\n');
}

/** A topic and what is said of it. */
export type Row = readonly [topic: string, text: string, style?: Style | undefined];

/** Topics with what is said of them beside them; a text that is too long goes on below itself. */
export function topicRows(rows: readonly Row[], terminal: Terminal): readonly string[] {
  const width = Math.max(0, ...rows.map(([topic]) => topic.length)) + 4;
  return rows.flatMap(([topic, text, style]) => {
    const [first = '', ...more] = indented(text, width, terminal, style);
    return [`  ${topic.padEnd(width - 2)}${first.slice(width)}`, ...more];
  });
}
