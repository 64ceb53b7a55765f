import { basename } from 'node:path';
import { commandLine, listProcesses } from './processes.js';
import type { Root } from './sysfs.js';

/** A running program: its name, as it was asked for, and its pid. */
export interface RunningDaemon {
  readonly name: string;
  readonly pid: number;
}

const INTERPRETER = /^(python[\d.]*|perl|bash|sh|dash)$/;

/** Running programs of these names: executables, and scripts that were handed to their interpreter. */
export async function findDaemons(root: Root, names: readonly string[]): Promise<readonly RunningDaemon[]> {
  const found: RunningDaemon[] = [];
  for (const { pid, comm } of listProcesses(root)) {
    const name = names.includes(comm) ? comm : INTERPRETER.test(comm) ? await scriptOf(root, pid) : undefined;
    if (name !== undefined && names.includes(name)) found.push({ name, pid });
  }
  return found;
}

/** The file name of what an interpreter runs: its first argument that is not an option. */
async function scriptOf(root: Root, pid: number): Promise<string | undefined> {
  const script = (await commandLine(root, pid))?.slice(1).find((word) => !word.startsWith('-'));
  return script === undefined ? undefined : basename(script);
}
