import { existsSync } from 'node:fs';
import { endianness } from 'node:os';
import { constants, open } from 'node:fs/promises';
import { EXIT, FatalError, errnoOf, messageOf } from '../errors.js';
import { readKernelFile } from '../plainFile.js';

/** Where the kernel's /proc and /sys are taken from: "/" or a directory that holds copies of them. */
export type Root = string;

/** A file of the kernel's that does not say what it should. */
export class MalformedError extends FatalError {
  constructor(path: string, expected: string, found: string) {
    const shown = found.length > 60 ? `${found.slice(0, 60)}...` : found;
    super(`${path}: expected ${expected}, found ${JSON.stringify(shown)}`, EXIT.unavailable);
  }
}

/** A refused write, in one sentence that says what the kernel means by it. */
class WriteError extends Error {
  constructor(path: string, value: string, error: unknown) {
    super(`${path} cannot be set to ${value}: ${refusal(errnoOf(error)) ?? messageOf(error)}`);
  }
}

/** Far more than any of the kernel's files holds, and little enough for memory. */
const LARGEST_BYTES = 4 * 1024 ** 2;

/**
 * The text of a file below /proc or /sys, without the newline at its end. Synchronous on purpose: these files are made in
 * memory by the kernel, and a read takes less time than handing it to another thread. What takes a process's own lock is
 * read by readInTime().
 *
 * @throws Error that names the file, with its errno where the system refused.
 */
export function readText(path: string): string {
  try {
    return readKernelFile(path, LARGEST_BYTES).toString('latin1').trimEnd();
  } catch (error) {
    throw errnoOf(error) === undefined ? new Error(`${path}: ${messageOf(error)}`, { cause: error }) : error;
  }
}

/** As readText, undefined where the file does not exist or its owner has gone. */
export function readTextIfThere(path: string): string | undefined {
  try {
    return readText(path);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** ENOENT, ESRCH (a process that ended while its files were read) and a path through something that is no directory. */
export function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'ENOTDIR'].includes(errnoOf(error) ?? '');
}

/** @throws MalformedError unless `text` is a whole number that a double holds exactly. */
export function parseWhole(text: string, path: string): number {
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new MalformedError(path, 'a whole number', text);
  return value;
}

/**
 * Writes one value in one write(2). The file must exist: nothing is ever created below /sys.
 *
 * @throws WriteError
 */
export async function writeValue(path: string, value: string): Promise<void> {
  try {
    const file = await open(path, constants.O_WRONLY | constants.O_TRUNC | constants.O_NONBLOCK);
    try {
      await file.write(`${value}\n`);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new WriteError(path, value, error);
  }
}

function refusal(errno: string | undefined): string | undefined {
  switch (errno) {
    case 'EINVAL':
      return 'the kernel does not take this value now (EINVAL): it is out of range, or another setting rules it out';
    case 'EBUSY':
      return 'the kernel refuses while pages are shared (EBUSY): they must be unmerged first';
    case 'EACCES':
    case 'EPERM':
      return `not permitted (${errno}): root is needed`;
    case 'EROFS':
      return 'it is mounted read-only (EROFS), as in a container: the host must allow the write';
    case 'ENOENT':
      return 'this kernel has no such file (ENOENT)';
    default:
      return undefined;
  }
}

const AT_PAGESZ = 6n;

/**
 * The size of a page in bytes, from the auxiliary vector that the kernel gives every process (getauxval(3)). A copy of
 * another host's files that has no proc/self/auxv is taken to have 4096.
 */
export function pageSizeBytes(root: Root): number {
  const path = `${root}/proc/self/auxv`;
  if (!existsSync(path)) return 4096;
  const vector = readKernelFile(path, LARGEST_BYTES);
  const word = (at: number) => (endianness() === 'LE' ? vector.readBigUInt64LE(at) : vector.readBigUInt64BE(at));
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (word(at) === AT_PAGESZ) return Number(word(at + 8));
  }
  throw new MalformedError(path, 'the page size (AT_PAGESZ)', 'none');
}

/** What is wrong with the value of --root, or undefined where it holds a host's files. */
export function rootProblem(directory: string): string | undefined {
  const missing = ['proc', 'sys'].filter((name) => !existsSync(`${directory}/${name}`));
  if (missing.length === 0) return undefined;
  return `--root ${directory} has no ${missing.join(' and no ')}: it must hold a copy of /proc and /sys`;
}
