import type { Finding, Level } from '../../doctor/check.js';
import { LEVELS } from '../../doctor/examine.js';
import { toJson } from '../command.js';
import { type Row, columnWidths, topicRows } from '../../text/table.js';
import { type Style, type Terminal, indented, paint } from '../../text/terminal.js';

/** The findings for a reader: problems and notes in full, then a line for each of the rest, then the sum. */
export function formatFindings(findings: readonly Finding[], terminal: Terminal): string {
  const of = (level: Level) => findings.filter((finding) => finding.level === level);
  const full = [...of('problem'), ...of('note')].map((finding) => inFull(finding, terminal));
  const [width] = columnWidths(findings.map(({ title }) => [title]));
  const brief = (['unknown', 'ok'] as const).flatMap((level) => {
    const lines = topicRows(sameFound(of(level)), terminal, width);
    return lines.length === 0 ? [] : [[`${painted(level, level, terminal)}:`, ...lines].join('\n')];
  });
  return [...full, ...brief, sum(findings, terminal)].join('\n\n');
}

/** For programs: `mend` is commands, one a line, or null. */
export function findingsAsJson(findings: readonly Finding[]): string {
  return toJson(
    findings.map(({ id, level, title, found, why, remedies }) => {
      return { id, level, title, found, why, mend: remedies?.join('\n') ?? null };
    }),
  );
}

/** Commands are never broken, so that they can be copied. */
function inFull({ level, title, found, why, remedies }: Finding, terminal: Terminal): string {
  return [
    `${painted(level, level, terminal)}: ${title}`,
    ...indented(found, 2, terminal),
    ...indented(`Why it matters: ${why}`, 2, terminal),
    ...(remedies === undefined ? [] : ['  To fix it:', ...remedies.map((line) => `    ${line}`)]),
  ].join('\n');
}

/** One line for findings that say the same, under all of their titles. */
function sameFound(findings: readonly Finding[]): readonly Row[] {
  const titles = new Map<string, string[]>();
  for (const { title, found } of findings) titles.set(found, [...(titles.get(found) ?? []), title]);
  return [...titles].map(([found, names]) => [names.join(', '), found]);
}

function sum(findings: readonly Finding[], terminal: Terminal): string {
  const counts = LEVELS.map((level) => {
    const count = findings.filter((finding) => finding.level === level).length;
    const plural = count !== 1 && (level === 'problem' || level === 'note') ? 's' : '';
    const text = `${count} ${level}${plural}`;
    return count === 0 ? text : painted(level, text, terminal);
  });
  return counts.join(', ');
}

const STYLES: Readonly<Record<Level, Style>> = { problem: 'bad', note: 'warning', unknown: 'strong', ok: 'good' };

function painted(level: Level, text: string, terminal: Terminal): string {
  return paint(terminal, STYLES[level], text);
}
