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
