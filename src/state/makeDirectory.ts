import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../errors.js';

/**
 * `mkdir -p`. Node's own (`recursive: true`) never ends in a directory that was removed while it is still mounted: there
 * mkdir(2) answers that the parent of the new directory does not exist (ENOENT), and that the parent exists (EEXIST).
 *
 * @throws Error with its errno, ENOENT in such a directory.
 */
export async function makeDirectory(path: string): Promise<void> {
  for (const directory of withParents(path)) {
    await mkdir(directory).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error;
    });
  }
}

/** `/a/b` as `/a`, `/a/b`. */
function withParents(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...withParents(parent), path];
}
