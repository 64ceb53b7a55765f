import { basename } from 'node:path';
import { commandLine, listProcesses } from './processes.js';
import type { Root } from './sysfs.js';

/** Another program that tunes the same kernel's KSM. */
export interface Rival {
  readonly name: string;
  readonly pid: number;
}

const INTERPRETERS = new Set(['bash', 'sh', 'dash', 'busybox']);

/**
 * Running ksmtuned scripts and samepaged daemons, other than this process. KSM is one per kernel, so two of them undo each
 * other's work.
 */
export async function findRivals(root: Root, ownPid: number): Promise<readonly Rival[]> {
  const rivals: Rival[] = [];
  for (const { pid, comm } of listProcesses(root)) {
    if (pid === ownPid) continue;
    if (comm === 'samepaged') rivals.push({ name: 'samepaged', pid });
    if (comm !== 'ksmtuned' && !INTERPRETERS.has(comm)) continue;
    const argv = await commandLine(root, pid);
    if (argv?.slice(0, 2).some((word) => basename(word) === 'ksmtuned')) rivals.push({ name: 'ksmtuned', pid });
  }
  return rivals;
}
