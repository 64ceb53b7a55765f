#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { ConfigError } from '../config/load.js';
import { EXIT, messageOf, watchStdout } from '../errors.js';
import { busAddressProblem } from '../dbus/address.js';
import { hangs } from '../host/inTime.js';
import { clean, cleanOutput } from '../text/clean.js';
import { optionProblem } from '../text/nearest.js';
import { VERSION } from '../version.js';
import { NotRunning } from '../api/notRunning.js';
import { COMPLETE, type Names, completions } from './completion/completer.js';
import { generalHelp, verbHelp, verbOf } from './help.js';
import { fold, terminalOf } from '../text/terminal.js';
import {
  FAILED_STATUS,
  NOT_RUNNING_STATUS,
  OPTIONS,
  type OptionName,
  UsageError,
  type Verb,
  type VerbResult,
  optionOf,
} from './verb.js';
import { VERBS } from './verbs.js';

async function main(): Promise<VerbResult> {
  const [first, ...typed] = process.argv.slice(2);
  if (first === COMPLETE) return { status: EXIT.ok, output: await completions(typed, { verbs: VERBS, guests }) };
  const parsed = parseCommandLine();
  refuseValues(parsed);
  const { values, positionals } = parsed;
  const [word, ...words] = positionals;
  const terminal = terminalOf(process.stdout, process.env);
  if (values.version) return { status: EXIT.ok, output: `samepagectl ${VERSION}` };
  if (values.help) {
    const output = word === undefined ? generalHelp(VERBS, terminal) : verbHelp(word, VERBS, terminal);
    return { status: EXIT.ok, output };
  }
  if (word === undefined) throw new UsageError(`which verb?\n${generalHelp(VERBS, terminal)}`);
  const verb = verbOf(word, VERBS);
  if (verb.usage === undefined && words.length > 0) throw new UsageError(`${word} takes no "${words.join(' ')}"`);
  refuseOptions(word, verb, values);
  return verb.run({ ...values, words, terminal, progress, notice });
}

async function guests(asked: Parameters<Names['guests']>[0]) {
  return (await import('./completion/guests.js')).guestNames(asked);
}

function parseCommandLine() {
  const options = {
    ...OPTIONS,
    version: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  try {
    return parseArgs({ options, allowPositionals: true, tokens: true });
  } catch (error) {
    throw new UsageError(optionProblem(error, Object.keys(options), 'see samepagectl help'));
  }
}

/** An empty value is a variable of a script that was not set: it must not be taken for an option that was not given. */
function refuseValues({ tokens, values }: ReturnType<typeof parseCommandLine>): void {
  for (const token of tokens) {
    if (token.kind !== 'option' || token.value !== '') continue;
    const { placeholder = '' } = optionOf(token.name);
    throw new UsageError(`--${token.name} is empty; expected --${token.name} ${placeholder}`);
  }
  const problem = busAddressProblem(values.bus);
  if (problem !== undefined) throw new UsageError(problem);
}

function refuseOptions(word: string, verb: Verb, values: Readonly<Record<string, unknown>>): void {
  for (const [name, { default: fallback }] of Object.entries(OPTIONS)) {
    if (values[name] === fallback || verb.options.includes(name as OptionName)) continue;
    throw new UsageError(`${word} does not take --${name}; see samepagectl help ${word}`);
  }
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${clean(text)}`);
}

function notice(text: string): void {
  process.stderr.write(`${fold([`samepagectl: ${text}`], terminalOf(process.stderr, process.env))}\n`);
}

function statusOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof ConfigError) return error.status;
  return error instanceof NotRunning ? NOT_RUNNING_STATUS : FAILED_STATUS;
}

watchStdout('samepagectl', () => process.exit(FAILED_STATUS));

try {
  const { status, output } = await main();
  if (output !== '') process.stdout.write(`${cleanOutput(output)}\n`);
  process.exitCode = status;
} catch (error) {
  const lines = `samepagectl: ${messageOf(error)}`.split('\n');
  process.stderr.write(`${cleanOutput(fold(lines, terminalOf(process.stderr, process.env)))}\n`);
  process.exitCode = statusOf(error);
}
// Nothing else ends a process that waits for a read that hangs in the kernel.
if (hangs()) process.kill(process.pid, 'SIGKILL');
