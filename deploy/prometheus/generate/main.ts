import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT, messageOf } from '../../../src/errors.js';
import { MIXIN_DIRECTORY, RUNBOOKS_URL, mixin } from './mixin.js';
import { DEFAULTS, THRESHOLDS, parseThresholds } from './thresholds.js';

const USAGE = `Usage: npm run mixin -- [OPTION]...
Makes the rules, alerts and dashboards of samepaged for Prometheus and Grafana.

  --thresholds FILE  JSON with numbers that replace those below
  --runbooks URL     where your site has docs/runbooks (${RUNBOOKS_URL})
  --output DIR       where they go (${MIXIN_DIRECTORY})
  --help             show this help

Thresholds:
${Object.entries(THRESHOLDS)
  .map(([name, { value, least, most, help }]) => `  ${name.padEnd(20)} ${value} (${least} to ${most}): ${help}\n`)
  .join('')}`;

function main(args: readonly string[]): number {
  const string = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { thresholds: string, runbooks: string, output: string, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return EXIT.ok;
  }
  const { thresholds: file, runbooks = RUNBOOKS_URL, output = MIXIN_DIRECTORY } = values;
  const thresholds = file === undefined ? DEFAULTS : parseThresholds(readFileSync(file, 'utf8'), file);
  const files = mixin({ thresholds, runbooksUrl: runbooks.replace(/\/+$/, '') });
  mkdirSync(output, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(output, name), text);
    process.stdout.write(`${join(output, name)}\n`);
  }
  return EXIT.ok;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`mixin: ${messageOf(error)}; nothing is written\n`);
  process.exitCode = EXIT.usage;
}
