import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { writePlain } from '../plainFile.js';
import { readTextIfThere } from './sysfs.js';

/** Writes our pid where scripts for ksmtuned look for it (`kill -USR1 $(cat /var/run/ksmtune.pid)`). */
export function writePidFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writePlain(path, `${process.pid}\n`);
}

/** Removes the file if it still names this process; a link to it stays, for its directory may be read-only to us. */
export function removePidFile(path: string): void {
  if (readTextIfThere(path) === String(process.pid)) rmSync(realpathSync(path));
}
