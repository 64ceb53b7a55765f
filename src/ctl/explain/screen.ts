import { KEYS, type KeyName } from '../../config/keys.js';
import { RESTING_KINDS } from '../../core/hold.js';
import { formatBytes } from '../../core/format.js';
import { formatDuration } from '../../core/duration.js';
import type { ConfigEntry, ExplanationReply, TermReply } from '../../api/replies.js';
import { type Row, alignedRows, topicRows } from '../../text/table.js';
import { type Terminal, hanging, indented, paint } from '../../text/terminal.js';

/** Shorter times are shown in milliseconds. */
const LONG_MILLIS = 10_000;

/** The last decision worked through, for a person. */
export function explainScreen(reply: ExplanationReply, terminal: Terminal): string {
  const { failure, sentence, reason = '', policy = '', terms, comparisons, change, notes, keys, problems } = reply;
  const part = (heading: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [[paint(terminal, 'strong', heading), ...lines].join('\n')];
  const text = (line: string) => indented(line, 2, terminal);
  if (failure !== undefined) return part('The last retune failed: nothing was decided', text(failure)).join('');
  if (sentence === undefined) return 'samepaged has not decided anything yet';
  const decided = [
    ...part(`Decision: ${reason} (policy ${policy})`, text(sentence)),
    ...part('Warnings', problems.flatMap(text)),
  ];
  if (terms === undefined) {
    return [...decided, ...part('How it was decided', text(isHold(reason) ? HELD : UNWORKED))].join('\n\n');
  }
  return [
    ...decided,
    ...part('Numbers', topicRows(termRows(terms), terminal)),
    ...part('Comparisons', comparisons.flatMap(text)),
    ...part('Decided beside', notes.flatMap(text)),
    ...part('What would change it', change === undefined ? [] : text(change)),
    ...part(
      'Keys of the configuration in play',
      keys.flatMap((entry) => hanging(keyText(entry), 4, terminal)),
    ),
  ].join('\n\n');
}

const HELD = 'by hand, whatever the numbers; samepagectl resume lets the policy decide again';
const UNWORKED = 'the policy does not show it';

function isHold(reason: string): boolean {
  return RESTING_KINDS.some((kind) => kind === reason);
}

function termRows(terms: readonly TermReply[]): readonly Row[] {
  const topics = alignedRows(
    terms.map((term) => [term.name, formatTerm(term)]),
    (column) => column === 1,
  );
  return terms.map(({ source }, at) => [topics[at] ?? '', source]);
}

function formatTerm({ value, unit }: TermReply): string {
  switch (unit) {
    case 'bytes':
      return formatBytes(value);
    case 'percent':
      return `${value} %`;
    case 'milliseconds':
      return value >= LONG_MILLIS ? formatDuration(value) : `${value} ms`;
    default:
      return unit === 'count' ? String(value) : `${value} ${unit}`;
  }
}

function keyText({ key, value, origin }: ConfigEntry): string {
  const help = Object.hasOwn(KEYS, key) ? KEYS[key as KeyName].help : 'a key of another version';
  return `${key}=${value}${origin === 'default' ? '' : ` (${origin})`}: ${help}`;
}
