#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { nearest } from '../core/nearest.js';
import { EXIT, messageOf } from '../errors.js';
import { VERSION } from '../version.js';
import { NotRunning } from './client.js';
import { OPTIONS, type OptionName, UsageError, type Verb, type VerbResult } from './verb.js';
import { VERBS } from './verbs.js';

/** As `systemctl status`: the daemon does not run. */
const NOT_RUNNING_STATUS = 3;
const FAILED_STATUS = 1;

function help(): string {
  const verbs = Object.entries(VERBS).map(([name, { usage, summary }]) => [usage ?? name, summary] as const);
  const options = Object.entries(OPTIONS).map(([name, { help: text }]) => {
    const [placeholder, ...words] = text.split('  ');
    return words.length === 0 ? [`--${name}`, text] : [`--${name} ${placeholder ?? ''}`, words.join('  ')];
  });
  const width = Math.max(...[...verbs, ...options].map(([left = '']) => left.length)) + 2;
  const rows = (entries: readonly (readonly (string | undefined)[])[]) =>
    entries.map(([left = '', right = '']) => `  ${left.padEnd(width)}${right}`).join('\n');
  return `Usage: samepagectl [OPTION]... VERB\n\n${rows(verbs)}\n\n${rows(options)}\n  --version, --help\n`;
}

async function main(): Promise<VerbResult> {
  const { values, positionals } = parseCommandLine();
  const [word, ...words] = positionals;
  if (values.help || word === 'help') return { status: EXIT.ok, output: help().trimEnd() };
  if (values.version) return { status: EXIT.ok, output: `samepagectl ${VERSION}` };
  const verb = findVerb(word);
  if (verb.usage === undefined && words.length > 0) throw new UsageError(`${word} takes no "${words.join(' ')}"`);
  refuseOptions(word ?? '', verb, values);
  return verb.run({ ...values, words, progress });
}

function parseCommandLine() {
  const options = {
    ...OPTIONS,
    version: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const;
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    const wrong = /Unknown option '--?([\w-]+)'/.exec(messageOf(error))?.[1];
    if (wrong === undefined) throw new UsageError(messageOf(error));
    throw new UsageError(`no option --${wrong}${suggestion(wrong, Object.keys(options), '--')}`);
  }
}

function findVerb(word: string | undefined): Verb {
  if (word === undefined) throw new UsageError(`which verb?\n${help()}`);
  const verb = Object.hasOwn(VERBS, word) ? VERBS[word] : undefined;
  if (verb === undefined) throw new UsageError(`no verb "${word}"${suggestion(word, Object.keys(VERBS), '')}`);
  return verb;
}

function refuseOptions(word: string, verb: Verb, values: Readonly<Record<string, unknown>>): void {
  for (const [name, { default: fallback }] of Object.entries(OPTIONS)) {
    if (values[name] !== fallback && !verb.options.includes(name as OptionName)) {
      throw new UsageError(`${word} does not take --${name}`);
    }
  }
}

function suggestion(word: string, candidates: readonly string[], prefix: string): string {
  const near = nearest(word, candidates);
  return near === undefined ? '; see samepagectl --help' : `; did you mean ${prefix}${near}?`;
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

try {
  const { status, output } = await main();
  process.stdout.write(`${output}\n`);
  process.exitCode = status;
} catch (error) {
  process.stderr.write(`samepagectl: ${messageOf(error)}\n`);
  process.exitCode =
    error instanceof UsageError ? EXIT.usage : error instanceof NotRunning ? NOT_RUNNING_STATUS : FAILED_STATUS;
}
