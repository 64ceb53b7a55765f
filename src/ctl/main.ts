#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { nearest } from '../core/nearest.js';
import { EXIT, FatalError, messageOf } from '../errors.js';
import { VERSION } from '../version.js';
import { NotRunning } from './client.js';
import { VERBS } from './verbs.js';

const OPTIONS = {
  bus: { type: 'string', default: 'system' },
  json: { type: 'boolean', default: false },
  version: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const HELP = `Usage: samepagectl [OPTION]... VERB

${Object.entries(VERBS)
  .map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
  .join('\n')}

  --json     for programs
  --bus BUS  system, session or a D-Bus address (system)
  --version, --help
`;

async function main(): Promise<number> {
  const { values, positionals } = parseCommandLine();
  const [word, ...rest] = positionals;
  if (values.help || word === 'help') {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  if (values.version) {
    process.stdout.write(`samepagectl ${VERSION}\n`);
    return EXIT.ok;
  }
  const verb = word === undefined || !Object.hasOwn(VERBS, word) ? undefined : VERBS[word];
  if (verb === undefined || rest.length > 0) throw usage(word, rest);
  const { status, output } = await verb.run(values);
  process.stdout.write(`${output}\n`);
  return status;
}

function parseCommandLine() {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new FatalError(messageOf(error), EXIT.usage);
  }
}

function usage(word: string | undefined, rest: readonly string[]): FatalError {
  if (word === undefined) return new FatalError(`which verb?\n${HELP}`, EXIT.usage);
  if (Object.hasOwn(VERBS, word)) return new FatalError(`${word} takes no "${rest.join(' ')}"`, EXIT.usage);
  const near = nearest(word, Object.keys(VERBS));
  return new FatalError(
    `no verb "${word}"${near === undefined ? '; see samepagectl --help' : `; did you mean ${near}?`}`,
    EXIT.usage,
  );
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`samepagectl: ${messageOf(error)}\n`);
  process.exitCode = error instanceof FatalError ? error.status : error instanceof NotRunning ? 3 : 1;
}
