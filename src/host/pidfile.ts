import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes our pid where scripts for ksmtuned look for it (`kill -USR1 $(cat /var/run/ksmtune.pid)`). */
export function writePidFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${process.pid}\n`);
}

/** Removes the file if it still names this process. */
export function removePidFile(path: string): void {
  if (readFileSync(path, 'utf8').trim() === String(process.pid)) rmSync(path);
}
