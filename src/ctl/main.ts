#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { ConfigError } from '../config/load.js';
import { nearest } from '../core/nearest.js';
import { EXIT, errnoOf, messageOf } from '../errors.js';
import { VERSION } from '../version.js';
import { NotRunning } from '../client/client.js';
import { generalHelp, verbHelp, verbOf } from './help.js';
import { terminalOf } from './terminal.js';
import { NOT_RUNNING_STATUS, OPTIONS, type OptionName, UsageError, type Verb, type VerbResult } from './verb.js';
import { VERBS } from './verbs.js';

const FAILED_STATUS = 1;

async function main(): Promise<VerbResult> {
  const { values, positionals } = parseCommandLine();
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
  return verb.run({ ...values, words, terminal, progress });
}

function parseCommandLine() {
  const options = {
    ...OPTIONS,
    version: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    const wrong = /Unknown option '--?([\w-]+)'/.exec(messageOf(error))?.[1];
    if (wrong === undefined) throw new UsageError(messageOf(error));
    const near = nearest(wrong, Object.keys(options));
    const hint = near === undefined ? 'see samepagectl help' : `did you mean --${near}?`;
    throw new UsageError(`no option ${wrong.length > 1 ? '--' : '-'}${wrong}; ${hint}`);
  }
}

function refuseOptions(word: string, verb: Verb, values: Readonly<Record<string, unknown>>): void {
  for (const [name, { default: fallback }] of Object.entries(OPTIONS)) {
    if (values[name] === fallback || verb.options.includes(name as OptionName)) continue;
    throw new UsageError(`${word} does not take --${name}; see samepagectl help ${word}`);
  }
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

function statusOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof ConfigError) return error.status;
  return error instanceof NotRunning ? NOT_RUNNING_STATUS : FAILED_STATUS;
}

// Whoever reads may stop reading, as head does.
process.stdout.on('error', (error) => {
  if (errnoOf(error) !== 'EPIPE') throw error;
});

try {
  const { status, output } = await main();
  if (output !== '') process.stdout.write(`${output}\n`);
  process.exitCode = status;
} catch (error) {
  process.stderr.write(`samepagectl: ${messageOf(error)}\n`);
  process.exitCode = statusOf(error);
}
