import { existsSync, readdirSync, statSync } from 'node:fs';
import { errnoOf } from '../errors.js';
import { readInTime } from './inTime.js';
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
 * The argument vector of a process; empty for a kernel thread, undefined when it has ended.
 *
 * @throws Overdue
 */
export async function commandLine(root: Root, pid: number): Promise<readonly string[] | undefined> {
  try {
    const text = (await readInTime(`${root}/proc/${pid}/cmdline`)).toString('utf8');
    return text === '' ? [] : text.replace(/\0$/, '').split('\0');
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** The user that a process runs as, by number; undefined when it has ended. */
export function userOf(root: Root, pid: number): number | undefined {
  // The directory itself is the effective user's even where the files in it are root's (proc(5), dumpable).
  return statSync(`${root}/proc/${pid}`, { throwIfNoEntry: false })?.uid;
}

/**
 * As userOf(), but from /proc/PID/status, which in a copy of another host's files says the same as there; undefined where
 * that has ended or does not say.
 */
export function effectiveUser(root: Root, pid: number): number | undefined {
  const user = /^Uid:\s*\d+\s+(\d+)/m.exec(readTextIfThere(`${root}/proc/${pid}/status`) ?? '')?.[1];
  return user === undefined ? undefined : Number(user);
}

/**
 * What /proc/PID/status says of a process's memory: bytes by field, 0 for one that it has not. Undefined when the process
 * has ended. The file's "kB" are units of 1024 bytes.
 */
export function memoryStatus(root: Root, pid: number): ((field: string) => number) | undefined {
  const status = readTextIfThere(`${root}/proc/${pid}/status`);
  if (status === undefined) return undefined;
  return (field) => Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024;
}

/** Whether other users' processes are kept from us: a /proc that is mounted with hidepid shows not even the first one. */
export function hidesProcesses(root: Root): boolean {
  return root === '' && !existsSync('/proc/1/comm');
}

function commOf(root: Root, pid: string): string | undefined {
  try {
    return readTextIfThere(`${root}/proc/${pid}/comm`);
  } catch (error) {
    if (['EPERM', 'EACCES'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}
