import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { errnoOf } from '../errors.js';
import { type Root, isAbsence, readTextIfThere } from './sysfs.js';

/** A process as /proc shows it: its pid and comm, the first 15 characters of its name. */
export interface ProcessName {
  readonly pid: number;
  readonly comm: string;
}

/** Every process below `root`/proc. Those that end meanwhile, or are hidden from us (hidepid), are left out. */
export function listProcesses(root: Root): ProcessName[] {
  const pids = readdirSync(`${root}/proc`).filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const comm = commOf(root, pid);
    return comm === undefined ? [] : [{ pid: Number(pid), comm }];
  });
}

/**
 * The argument vector of a process; empty for a kernel thread, undefined when it has ended. Asynchronous, unlike the other
 * reads: it takes the process's own memory lock, which a process in trouble can hold for long.
 */
export async function commandLine(root: Root, pid: number): Promise<readonly string[] | undefined> {
  try {
    const text = await readFile(`${root}/proc/${pid}/cmdline`, 'utf8');
    return text === '' ? [] : text.replace(/\0$/, '').split('\0');
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

function commOf(root: Root, pid: string): string | undefined {
  try {
    return readTextIfThere(`${root}/proc/${pid}/comm`);
  } catch (error) {
    if (['EPERM', 'EACCES'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}
