import { mkdirSync } from 'node:fs';
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
  for (const directory of withParents(path)) await mkdir(directory).catch(allowExisting);
}

/** The same, where the disk may be waited for. */
export function makeDirectorySync(path: string): void {
  for (const directory of withParents(path)) {
    try {
      mkdirSync(directory);
    } catch (error) {
      allowExisting(error);
    }
  }
}

/** `/a/b` as `/a`, `/a/b`. */
function withParents(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...withParents(parent), path];
}

function allowExisting(error: unknown): void {
  if (errnoOf(error) !== 'EEXIST') throw error;
}
