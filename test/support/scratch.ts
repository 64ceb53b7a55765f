import { rmSync, statSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAME = /^samepaged-[a-z]+-(\d+)-/;
const REMOVE = { recursive: true, force: true, maxRetries: 3 };
const mine = new Set<string>();

process.on('exit', () => {
  for (const directory of mine) rmSync(directory, REMOVE);
});

/** Whether a process of this id exists, whoever it belongs to. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The name tells its owner, so that what a killed run left behind is recognised, and removed by this user's next run. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = NAME.exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    const directory = join(tmpdir(), name);
    if (statSync(directory, { throwIfNoEntry: false })?.uid === process.getuid?.()) await rm(directory, REMOVE);
  }
}

/**
 * A new directory under os.tmpdir(), readable by every user, because daemons and QEMU may run as another one.
 * It belongs to this process: removed by removeScratch(), at exit at the latest, or by the next run after a SIGKILL.
 * `kind` is lower-case letters.
 */
export async function scratchDirectory(kind: string): Promise<string> {
  await sweep();
  const directory = await mkdtemp(join(tmpdir(), `samepaged-${kind}-${process.pid}-`));
  mine.add(directory);
  await chmod(directory, 0o755);
  return directory;
}

/** Does nothing when the directory is gone already. */
export async function removeScratch(directory: string): Promise<void> {
  await rm(directory, REMOVE);
  mine.delete(directory);
}
