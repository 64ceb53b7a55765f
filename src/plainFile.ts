import {
  type Stats,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';

const { O_APPEND, O_CREAT, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants;
const CHUNK_BYTES = 64 * 1024;
/** One for all: a retune reads some forty small files, and a new buffer for each took half of the daemon's CPU time to collect. */
const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);

/** What is at a path is no file that can be read to its end and written: named pipes wait, devices do things. */
class NoPlainFile extends Error {
  constructor(stats: Stats) {
    super(`it is ${kindOf(stats)} and no regular file`);
  }
}

/** There is more in a file than is read of it. */
export class TooLarge extends Error {}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a named pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}

/**
 * Opens a regular file, and waits for nobody. What is no regular file is not even opened: opening a device may do something.
 *
 * @param flags as for open(2); to write, no link is followed.
 * @throws Error, with its errno where the system refused.
 */
export function openPlain(path: string, flags: number, mode?: number): number {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there !== undefined) requirePlain(there);
  return checked(openSync(path, withoutLinks(flags) | O_NONBLOCK | O_NOCTTY, mode));
}

/**
 * What a regular file holds, read without waiting for anybody.
 *
 * @throws Error, with its errno where the system refused, also when it holds more than `mostBytes`.
 */
export function readPlain(path: string, mostBytes: number): Buffer {
  return readAll(openPlain(path, O_RDONLY), mostBytes);
}

/**
 * Writes a regular file, which is made where it is not there.
 *
 * @param mode the file's, whatever the umask is; left to the umask where it is not given.
 * @throws Error, with its errno where the system refused.
 */
export function writePlain(path: string, text: string, mode?: number): void {
  const fd = openPlain(path, O_WRONLY | O_CREAT | O_TRUNC, 0o666);
  try {
    if (mode !== undefined) fchmodSync(fd, mode);
    writeFileSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

/** As openPlain, where the disk is not waited for. */
export async function openPlainAsync(path: string, flags: number, mode?: number): Promise<FileHandle> {
  const there = await stat(path).catch(() => undefined);
  if (there !== undefined) requirePlain(there);
  const file = await open(path, withoutLinks(flags) | O_NONBLOCK | O_NOCTTY, mode);
  try {
    requirePlain(await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Opens a regular file to write to its end. @param mode of a file that was not there, with the umask. */
export async function openToAppend(path: string, mode: number): Promise<FileHandle> {
  return openPlainAsync(path, O_WRONLY | O_CREAT | O_APPEND, mode);
}

/** To write, no link is followed, which could lead to any file. */
function withoutLinks(flags: number): number {
  return (flags & O_WRONLY) === 0 ? flags : flags | O_NOFOLLOW;
}

function requirePlain(stats: Stats): void {
  if (!stats.isFile()) throw new NoPlainFile(stats);
}

/** As readPlain, for a file that the kernel makes: it is opened at once, as nobody can have put a device there. */
export function readKernelFile(path: string, mostBytes: number): Buffer {
  return readAll(checked(openSync(path, O_RDONLY | O_NONBLOCK)), mostBytes);
}

function checked(fd: number): number {
  const stats = fstatSync(fd);
  if (stats.isFile()) return fd;
  closeSync(fd);
  throw new NoPlainFile(stats);
}

/** Of a file of /proc the size is 0: only reading tells how much there is. */
function readAll(fd: number, mostBytes: number): Buffer {
  try {
    const chunks: Buffer[] = [];
    for (let bytes = 0; bytes <= mostBytes;) {
      const length = readSync(fd, chunk);
      if (length === 0) return Buffer.concat(chunks);
      chunks.push(Buffer.from(chunk.subarray(0, length)));
      bytes += length;
    }
    throw new TooLarge(`it is larger than ${mostBytes / 1024 ** 2} MiB`);
  } finally {
    closeSync(fd);
  }
}
