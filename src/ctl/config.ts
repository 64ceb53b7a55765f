import { existsSync } from 'node:fs';
import { KEYS, type KeyName } from '../config/keys.js';
import { type Config, DEFAULT_CONFIG_FILE, loadConfig, requirePolicy } from '../config/load.js';
import { valueWord } from '../config/syntax.js';
import { readConfig, viewOf } from '../config/view.js';
import { didYouMean } from '../text/nearest.js';
import { plural } from '../core/format.js';
import { EXIT } from '../errors.js';
import { KsmDirectory } from '../host/ksm.js';
import { policyObstacle } from '../config/plan.js';
import { withDaemon } from '../api/withDaemon.js';
import { NotRunning } from '../api/notRunning.js';
import { toJson } from './command.js';
import type { ConfigurationReply } from '../api/replies.js';
import { type Terminal, fold } from '../text/terminal.js';
import { UsageError, type Verb, type VerbInput, type VerbResult } from './verb.js';

export const config: Verb = {
  summary: 'what is configured, and where; check a file',
  details:
    'Shows the keys that differ from the defaults, or every key with --all, each with a line on what it does, in the form ' +
    `of a configuration file. Without samepaged it shows ${DEFAULT_CONFIG_FILE}. "config check" reads FILE and ` +
    `FILE.d/*.conf as samepaged would and reports what is wrong. The exit status is ${EXIT.config} if FILE cannot be used.`,
  usage: 'config [check [FILE]]',
  words: [['check'], 'file'],
  options: ['all', 'bus', 'json'],
  examples: [
    { command: 'samepagectl config', does: 'what was changed, and where' },
    { command: 'samepagectl config --all', does: 'every key' },
    { command: 'samepagectl config check /etc/ksmtuned.conf && samepagectl reload', does: 'reload what is right' },
  ],
  run: async (input) => {
    const [word, file = DEFAULT_CONFIG_FILE, ...more] = input.words;
    if (word === undefined) return show(input);
    if (word !== 'check') {
      throw new UsageError(`config takes check FILE, not "${word}"${didYouMean(word, ['check'])}`);
    }
    if (more.length > 0) throw new UsageError(`config check takes one file, not "${more.join(' ')}"`);
    if (input.all) throw new UsageError('config check does not take --all');
    return check(file, input);
  },
};

/** What is in force, or would be. */
type View = ConfigurationReply & { readonly source: string };

async function show({ bus, json, all, terminal }: VerbInput): Promise<VerbResult> {
  const view = await withDaemon(bus, async (daemon): Promise<View> => {
    return { source: 'in force in samepaged', ...(await daemon.configuration()) };
  }).catch((error: unknown) => {
    if (!(error instanceof NotRunning)) throw error;
    return withoutDaemon(error.message);
  });
  const entries = view.entries.filter(({ origin }) => all || origin !== 'default');
  if (json) return { status: EXIT.ok, output: toJson({ ...view, entries }) };
  return { status: EXIT.ok, output: text(view, entries, terminal) };
}

function withoutDaemon(reason: string): View {
  const loaded = loadConfig();
  const { entries, problems } = viewOf(loaded, undefined, { config: loaded, problems: loaded.warnings });
  return {
    source: `${reason}; it would start with`,
    entries: entries.map(([key, value, origin]) => ({ key, value, origin })),
    waiting: [],
    problems: [...problems],
  };
}

/** Comments and assignments, as samepaged reads them. */
function text(
  { source, entries: every, waiting, problems }: View,
  entries: View['entries'],
  terminal: Terminal,
): string {
  const comment = (words: string) =>
    fold([words], { ...terminal, columns: terminal.columns - 2 }).replaceAll(/^/gm, '# ');
  const others = every.length - entries.length;
  const notes = [
    ...(others > 0 ? [`${plural(others, 'key')} at the default: samepagectl config --all shows them`] : []),
    ...(waiting.length > 0 ? [`changed in the files since, samepagectl reload takes it: ${waiting.join(', ')}`] : []),
    ...problems,
  ];
  return [
    comment(`${source}:`),
    ...entries.flatMap(({ key, value, origin }) => ['', comment(help(key)), `${key}=${valueWord(value)}  # ${origin}`]),
    ...(notes.length === 0 ? [] : ['', ...notes.map(comment)]),
  ].join('\n');
}

function help(key: string): string {
  return Object.hasOwn(KEYS, key) ? KEYS[key as KeyName].help : 'of another version of samepaged';
}

async function check(file: string, { json, terminal }: VerbInput): Promise<VerbResult> {
  const { config: usable, problems } = existsSync(file)
    ? await readConfig(() => usableHere(loadConfig(file)))
    : { config: undefined, problems: [`${file}: there is no such file`] };
  const status = usable === undefined ? EXIT.config : EXIT.ok;
  if (json) return { status, output: toJson({ file, usable: usable !== undefined, problems }) };
  const set = Object.values(usable?.origins ?? {}).filter(({ origin }) => origin !== 'default').length;
  const verdict =
    usable === undefined
      ? `${file} cannot be used`
      : `${file} can be used: ${plural(set, 'key')} set${problems.length > 0 ? `, ${plural(problems.length, 'warning')}` : ''}`;
  return { status, output: fold([...problems, verdict], terminal) };
}

/** @throws ConfigError where this kernel cannot do what the configuration asks for. */
function usableHere(loaded: Config): Config {
  const ksm = new KsmDirectory('');
  if (!ksm.exists()) return loaded;
  return requirePolicy(loaded, policyObstacle(loaded.values.KSM_POLICY, ksm.readSettings()));
}
