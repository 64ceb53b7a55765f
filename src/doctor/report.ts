import type { Finding, Level } from './check.js';
import { LEVELS } from './examine.js';

export interface Terminal {
  readonly columns: number;
  readonly colour: boolean;
}

/** Longer lines are hard to read. */
const MOST_COLUMNS = 100;
const LEAST_COLUMNS = 40;

/** The findings for a reader: problems and notes in full, then a line for each of the rest, then the sum. */
export function formatFindings(findings: readonly Finding[], terminal: Terminal): string {
  const columns = Math.max(LEAST_COLUMNS, Math.min(terminal.columns, MOST_COLUMNS));
  const of = (level: Level) => findings.filter((finding) => finding.level === level);
  const paint = terminal.colour ? painted : (_level: Level, text: string) => text;
  const full = [...of('problem'), ...of('note')].map((finding) => inFull(finding, columns, paint));
  const width = Math.max(0, ...findings.map(({ title }) => title.length));
  const brief = (['unknown', 'ok'] as const).flatMap((level) => {
    const lines = sameFound(of(level)).map(({ title, found }) => inBrief(title, found, width, columns));
    return lines.length === 0 ? [] : [[`${paint(level, level)}:`, ...lines].join('\n')];
  });
  return [...full, ...brief, sum(findings, paint)].join('\n\n');
}

/** For programs: `mend` is commands, one a line, or null. */
export function findingsAsJson(findings: readonly Finding[]): string {
  const plain = findings.map(({ id, level, title, found, why, mend }) => ({
    id,
    level,
    title,
    found,
    why,
    mend: mend?.join('\n') ?? null,
  }));
  return JSON.stringify(plain, undefined, 2);
}

type Paint = (level: Level, text: string) => string;

/** Commands are never broken, so that they can be copied. */
function inFull({ level, title, found, why, mend }: Finding, columns: number, paint: Paint): string {
  return [
    `${paint(level, level)}: ${title}`,
    ...wrap(found, columns - 2).map((line) => `  ${line}`),
    ...wrap(`Why it matters: ${why}`, columns - 2).map((line) => `  ${line}`),
    ...(mend === undefined ? [] : ['  To mend it:', ...mend.map((line) => `    ${line}`)]),
  ].join('\n');
}

/** One line for findings that say the same, under all of their titles. */
function sameFound(findings: readonly Finding[]): readonly Pick<Finding, 'title' | 'found'>[] {
  const titles = new Map<string, string[]>();
  for (const { title, found } of findings) titles.set(found, [...(titles.get(found) ?? []), title]);
  return [...titles].map(([found, names]) => ({ title: names.join(', '), found }));
}

/** A title wider than its column has a line of its own. */
function inBrief(title: string, found: string, width: number, columns: number): string {
  const indent = ' '.repeat(width + 4);
  const text = wrap(found, columns - indent.length).join(`\n${indent}`);
  return title.length > width ? `  ${title}\n${indent}${text}` : `  ${title.padEnd(width)}  ${text}`;
}

function sum(findings: readonly Finding[], paint: Paint): string {
  const counts = LEVELS.map((level) => {
    const count = findings.filter((finding) => finding.level === level).length;
    const plural = count !== 1 && (level === 'problem' || level === 'note') ? 's' : '';
    const text = `${count} ${level}${plural}`;
    return count === 0 ? text : paint(level, text);
  });
  return counts.join(', ');
}

const COLOURS: Readonly<Record<Level, string>> = { problem: '1;31', note: '33', unknown: '36', ok: '32' };

function painted(level: Level, text: string): string {
  return `\u001b[${COLOURS[level]}m${text}\u001b[0m`;
}

/** Breaks `text` at spaces into lines of at most `columns`; a longer word stands alone. */
function wrap(text: string, columns: number): readonly string[] {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
