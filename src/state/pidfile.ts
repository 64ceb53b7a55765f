import { constants } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { openPlainAsync } from '../plainFile.js';
import { diskInTurn } from '../host/diskInTurn.js';
import { type Root, isAbsence } from '../host/sysfs.js';
import { makeDirectory } from './makeDirectory.js';

const { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } = constants;

const inTurn = diskInTurn();

/**
 * Where the pid goes; undefined for nowhere. systemd lets a service write to RUNTIME_DIRECTORY (systemd.exec(5)) and not to
 * /run: there the unit makes a link in the usual place.
 *
 * @param configured PIDFILE, empty for none.
 * @param usual what PIDFILE is unless configured.
 */
export function pidFilePath(root: Root, configured: string, usual: string): string | undefined {
  if (configured === '') return undefined;
  const runtime = process.env['RUNTIME_DIRECTORY']?.split(':')[0] ?? '';
  return runtime !== '' && configured === usual ? `${runtime}/${basename(usual)}` : `${root}${configured}`;
}

/**
 * Writes our pid where scripts for ksmtuned look for it (`kill -USR1 $(cat /var/run/ksmtune.pid)`).
 *
 * @throws Overdue, and Error with its errno, for a link (ELOOP) too, which could lead to any file.
 */
export async function writePidFile(path: string): Promise<void> {
  await inTurn(path, async () => {
    await makeDirectory(dirname(path));
    await using file = await openPlainAsync(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644);
    // Everybody may read it, whatever the umask is.
    await file.chmod(0o644);
    await file.writeFile(`${process.pid}\n`);
  });
}

/** Removes the file if it still names this process, and never what a link in its place leads to. @throws as writePidFile. */
export async function removePidFile(path: string): Promise<void> {
  await inTurn(path, async () => {
    try {
      if ((await firstWord(path)) === String(process.pid)) await rm(path);
    } catch (error) {
      if (!isAbsence(error)) throw error;
    }
  });
}

async function firstWord(path: string): Promise<string> {
  await using file = await openPlainAsync(path, O_RDONLY);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(32));
  return buffer.toString('latin1', 0, bytesRead).trim();
}
