import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/**
 * Writes a file, and makes its directory: as a whole or not at all, whatever happens meanwhile. A link in its place is
 * replaced and never followed.
 *
 * @throws Error with its errno.
 */
export function replaceFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.new`;
  try {
    // Left by a kill, or put there by somebody else.
    rmSync(fresh, { force: true });
    const file = openSync(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
    try {
      // Everybody may read it, also where the umask is the service's.
      fchmodSync(file, 0o644);
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, path);
  } catch (error) {
    // A full disk has no room for half of it either.
    rmSync(fresh, { force: true });
    throw error;
  }
}
