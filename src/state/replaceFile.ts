import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from './makeDirectory.js';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/**
 * Writes a file, and makes its directory: as a whole or not at all, whatever happens meanwhile. A link in its place is
 * replaced and never followed.
 *
 * @throws Error with its errno.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  await makeDirectory(dirname(path));
  const fresh = `${path}.new`;
  try {
    // Left by a kill, or put there by somebody else.
    await rm(fresh, { force: true });
    const file = await open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
    try {
      // Everybody may read it, also where the umask is the service's.
      await file.chmod(0o644);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
  } catch (error) {
    // A full disk has no room for half of it either.
    await rm(fresh, { force: true });
    throw error;
  }
}
