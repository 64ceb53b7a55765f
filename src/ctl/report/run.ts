import { existsSync, readdirSync } from 'node:fs';
import { release } from 'node:os';
import { EXIT, errnoOf, messageOf } from '../../errors.js';
import { readText } from '../../host/sysfs.js';
import { parseNamePatterns } from '../../core/forbiddenGuests.js';
import { clean } from '../../text/clean.js';
import { withoutNames } from './names.js';
import type { VerbInput, VerbResult, VerbTable } from '../verb.js';

/** What the report is made of, in the order of a person's questions. */
const SECTIONS: readonly (readonly [verb: string, options: Partial<VerbInput>])[] = [
  ['version', {}],
  ['status', {}],
  ['explain', {}],
  ['doctor', {}],
  ['config', {}],
  ['guests', {}],
  ['history', { since: '1d' }],
];

/** Directories whose files are shown with their values. */
const KERNEL = [
  '/sys/kernel/mm/ksm',
  '/sys/kernel/mm/transparent_hugepage',
  '/sys/kernel/mm/transparent_hugepage/khugepaged',
];

/** Columns of the report, whatever it is written to: it is read in a mail or on a page. */
const COLUMNS = 100;

/** What the verbs in `verbs` show. A verb that fails is a section with its message: the report is needed most then. */
export async function run(input: VerbInput, verbs: VerbTable): Promise<VerbResult> {
  const terminal = { ...input.terminal, columns: COLUMNS, colour: false };
  const show = async (verb: string, options: Partial<VerbInput>): Promise<string> => {
    const asked = { ...input, json: false, words: [], terminal, ...options };
    try {
      return (await verbs[verb]?.run(asked))?.output ?? '';
    } catch (error) {
      return clean(messageOf(error));
    }
  };
  const parts: string[] = [];
  for (const [verb, options] of SECTIONS) parts.push(section(`samepagectl ${verb}`, await show(verb, options)));
  parts.push(section('Kernel', [`Linux ${release()}`, ...KERNEL.flatMap(filesIn)].join('\n')));
  const text = parts.join('\n\n');
  if (input.names) return { status: EXIT.ok, output: text };
  const known = [
    await show('guests', { json: true }),
    await show('history', { json: true, since: '30d' }),
    await show('config', { json: true }),
  ];
  return { status: EXIT.ok, output: withoutNames(text, known.flatMap(namesIn)) };
}

function section(title: string, text: string): string {
  return `== ${title} ==\n${text.trimEnd()}`;
}

function filesIn(directory: string): readonly string[] {
  if (!existsSync(directory)) return [`${directory} is not there`];
  const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ name }) => `${directory}/${name}: ${valueIn(`${directory}/${name}`)}`);
}

/** One file that cannot be read must not hide the others. */
function valueIn(path: string): string {
  try {
    return clean(readText(path).trim());
  } catch (error) {
    return `cannot be read (${errnoOf(error) ?? messageOf(error)})`;
  }
}

/** Names of guests in what `guests --json`, `history --json` or `config --json` print; none in a message. */
function namesIn(json: string): readonly string[] {
  try {
    const {
      guests = [],
      guestEvents = [],
      entries = [],
    } = JSON.parse(json) as {
      guests?: readonly { name: string; plainName?: string }[];
      guestEvents?: readonly { guest: string }[];
      entries?: readonly { key: string; value: string }[];
    };
    return [
      ...guests.flatMap(({ name, plainName = name }) => [name, plainName]),
      ...guestEvents.map(({ guest }) => guest),
      ...entries.flatMap(({ key, value }) => (key === 'KSM_FORBID_GUESTS' ? parseNamePatterns(value) : [])),
    ];
  } catch {
    return [];
  }
}
