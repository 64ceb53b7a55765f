import { rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { writePlain } from '../plainFile.js';
import { type Root, isAbsence, readText } from '../host/sysfs.js';
import { makeDirectorySync } from './makeDirectory.js';

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
 * @throws Error with its errno, for a link (ELOOP) too, which could lead to any file.
 */
export function writePidFile(path: string): void {
  makeDirectorySync(dirname(path));
  writePlain(path, `${process.pid}\n`, 0o644);
}

/** Removes the file if it still names this process, and never what a link in its place leads to. */
export function removePidFile(path: string): void {
  try {
    if (readText(path) === String(process.pid)) rmSync(path);
  } catch (error) {
    if (!isAbsence(error)) throw error;
  }
}
