import { statSync } from 'node:fs';
import { EXIT, FatalError } from '../errors.js';
import { silentFiles } from '../host/silentFiles.js';
import type { Root } from '../host/sysfs.js';

/** What the group and others must not have: w. */
const WRITABLE_BY_OTHERS = 0o022;

/** Where samepaged keeps what outlives it: the first of STATE_DIRECTORY, in which systemd names them (systemd.exec(5)). */
export function stateDirectory(root: Root): string {
  const [first = ''] = (process.env['STATE_DIRECTORY'] ?? '').split(':');
  return first === '' ? `${root}/var/lib/samepaged` : first;
}

/** What samepaged keeps in it, which it reads when it starts. */
export const STATE_FILES = {
  ledger: 'ledger.json',
  hold: 'hold.json',
  freed: 'freed.json',
  history: 'history.log',
} as const;

/** What of the directory does not answer, in a sentence; undefined where all does. */
export async function silentState(directory: string): Promise<string | undefined> {
  return silentFiles(directory, () =>
    Promise.resolve(Object.values(STATE_FILES).map((file) => `${directory}/${file}`)),
  );
}

/**
 * What is in the directory is written to the kernel, and files are made in it. So nobody but the user that samepaged runs as
 * may have made any of it.
 *
 * @throws FatalError where somebody else could have.
 */
export function requireOwnDirectory(directory: string): void {
  const found = statSync(directory, { throwIfNoEntry: false });
  const user = process.geteuid?.();
  if (found?.isDirectory() !== true) return;
  const remedy = `start the service (systemctl start samepaged), or name a directory of your own in STATE_DIRECTORY`;
  if (found.uid !== user) {
    const whose = `${directory} belongs to the user ${found.uid}, and samepaged runs as the user ${user ?? ''}`;
    throw new FatalError(`${whose}: ${remedy}`, EXIT.config);
  }
  if ((found.mode & WRITABLE_BY_OTHERS) !== 0) {
    throw new FatalError(
      `${directory} can be written by other users: chmod go-w ${directory}, or ${remedy}`,
      EXIT.config,
    );
  }
}
