import { EXIT } from '../errors.js';
import { didYouMean } from '../text/nearest.js';
import { type Row, topicRows } from '../text/table.js';
import { type Terminal, indented } from '../text/terminal.js';
import { type OptionName, UsageError, type Verb, type VerbTable, optionOf } from './verb.js';

const EVERYWHERE: readonly Row[] = [['--help, --version', 'this, or after a verb what that does; the version']];

/** @param verbs the table that the verb itself is in. */
export function helpVerb(verbs: () => VerbTable): Verb {
  return {
    summary: 'how a verb is used, with examples',
    usage: 'help [VERB]',
    words: ['verb'],
    options: [],
    examples: [{ command: 'samepagectl help policy', does: 'how policy is used' }],
    run: ({ words: [word, ...more], terminal }) => {
      if (more.length > 0) throw new UsageError(`help takes one verb, not "${more.join(' ')}"`);
      const output = word === undefined ? generalHelp(verbs(), terminal) : verbHelp(word, verbs(), terminal);
      return Promise.resolve({ status: EXIT.ok, output });
    },
  };
}

export function generalHelp(verbs: VerbTable, terminal: Terminal): string {
  const rows = Object.entries(verbs).map(([name, { usage = name, summary }]): Row => [usage, summary]);
  return [
    'Usage: samepagectl [OPTION]... VERB [WORD]...',
    ...topicRows(rows, terminal),
    ...topicRows([optionRow('bus'), optionRow('json'), ...EVERYWHERE], terminal),
  ].join('\n');
}

/** @throws UsageError when there is no such verb. */
export function verbHelp(name: string, verbs: VerbTable, terminal: Terminal): string {
  const { usage = name, summary, details, options, examples } = verbOf(name, verbs);
  const text = details ?? `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  return [
    `Usage: samepagectl [OPTION]... ${usage}`,
    '',
    ...indented(text, 0, terminal),
    ...(options.length === 0 ? [] : ['', ...topicRows(options.map(optionRow), terminal)]),
    '',
    'Examples:',
    ...examples.flatMap(({ command, does }) => [`  ${command}`, ...indented(does, 6, terminal)]),
  ].join('\n');
}

/** @throws UsageError with the nearest when there is no such verb. */
export function verbOf(name: string, verbs: VerbTable): Verb {
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (verb !== undefined) return verb;
  throw new UsageError(`no verb "${name}"${didYouMean(name, Object.keys(verbs), 'see samepagectl help')}`);
}

function optionRow(name: OptionName): Row {
  const { placeholder, help } = optionOf(name);
  return [`--${name}${placeholder === undefined ? '' : ` ${placeholder}`}`, help];
}
