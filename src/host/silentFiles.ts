import { constants } from 'node:fs';
import { openPlainAsync } from '../plainFile.js';
import { diskInTurn } from './diskInTurn.js';
import { Overdue } from './inTime.js';

/** A start reads some 8 MB at most. */
const READ_MILLIS = 4000;
/** What is larger is read by nobody. */
const MOST_BYTES = 64 * 1024 ** 2;

const inTurn = diskInTurn(READ_MILLIS);

/**
 * Files are read by calls that nobody can end, so they are read in time before: their disk may hang.
 *
 * @param name of what they are.
 * @returns what does not answer, in a sentence; undefined where all do.
 */
export async function silentFiles(name: string, paths: () => Promise<readonly string[]>): Promise<string | undefined> {
  try {
    await inTurn(name, async () => {
      for (const path of await paths()) await readThrough(path).catch(() => undefined);
    });
    return undefined;
  } catch (error) {
    if (error instanceof Overdue) return error.message;
    throw error;
  }
}

/** What is no regular file, and what cannot be read, says so to who needs it. */
async function readThrough(path: string): Promise<void> {
  await using file = await openPlainAsync(path, constants.O_RDONLY);
  const buffer = Buffer.alloc(64 * 1024);
  for (let bytes = 0; bytes < MOST_BYTES;) {
    const { bytesRead } = await file.read(buffer);
    if (bytesRead === 0) return;
    bytes += bytesRead;
  }
}
