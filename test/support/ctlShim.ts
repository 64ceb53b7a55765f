import { chmod, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CTL } from './programs.js';

/** Puts a command samepagectl into `directory`, for a shell that has it on its PATH. */
export async function writeCtlShim(directory: string): Promise<void> {
  const file = join(directory, 'samepagectl');
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${resolve(CTL)}' "$@"\n`);
  await chmod(file, 0o755);
}
