import { constants, statSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { EXIT, FatalError } from '../errors.js';
import { Overdue, inTime } from '../host/inTime.js';
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
/** A start reads some 8 MB at most. */
const READ_MILLIS = 4000;

/**
 * Files are read by calls that nobody can end, so the directory's are read in time before: its disk may hang.
 *
 * @returns what does not answer, in a sentence; undefined where all do.
 */
export async function silentState(directory: string): Promise<string | undefined> {
  try {
    await inTime(directory, READ_MILLIS, async () => {
      for (const file of Object.values(STATE_FILES)) await readThrough(`${directory}/${file}`).catch(() => undefined);
    });
    return undefined;
  } catch (error) {
    if (error instanceof Overdue) return error.message;
    throw error;
  }
}

/** What is no regular file, and what cannot be read, says so to who needs it. */
async function readThrough(path: string): Promise<void> {
  if (!(await stat(path)).isFile()) return;
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(64 * 1024);
  while ((await file.read(buffer)).bytesRead > 0);
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
