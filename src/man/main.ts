import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAN_DIRECTORY, manPages } from './pages.js';

/** `npm run man`: makes the manual pages that are checked in. */
for (const [name, text] of Object.entries(manPages())) {
  writeFileSync(join(MAN_DIRECTORY, name), text);
  process.stdout.write(`${join(MAN_DIRECTORY, name)}\n`);
}
