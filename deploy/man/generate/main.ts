import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../../../src/errors.js';
import { MAN_DIRECTORY, manPages } from './pages.js';

/** `npm run man`: makes the manual pages that are checked in. */
function main([word]: readonly string[]): number {
  if (word !== undefined) {
    process.stderr.write(`man: takes no "${word}"; without a word it writes the pages in ${MAN_DIRECTORY}\n`);
    return EXIT.usage;
  }
  for (const [name, text] of Object.entries(manPages())) {
    writeFileSync(join(MAN_DIRECTORY, name), text);
    process.stdout.write(`${join(MAN_DIRECTORY, name)}\n`);
  }
  return EXIT.ok;
}

process.exitCode = main(process.argv.slice(2));
