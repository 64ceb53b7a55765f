import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { errnoOf } from '../errors.js';
import { readInTime } from './inTime.js';
import { type Root, isAbsence, readTextIfThere } from './sysfs.js';

/** A process as /proc shows it: its pid and comm, the first 15 characters of its name. */
export interface ProcessName {
  readonly pid: number;
  readonly comm: string;
}

/** The pids below `root`/proc: one directory is read, nothing else. Those hidden from us (hidepid) are left out. */
export function listPids(root: Root): number[] {
  // The names that begin with a digit are those of processes.
  const pids: number[] = [];
  for (const name of readdirSync(`${root}/proc`)) if (name < ':') pids.push(Number(name));
  return pids;
}

/** Every process below `root`/proc. Those that end meanwhile, or are hidden from us (hidepid), are left out. */
export function listProcesses(root: Root): ProcessName[] {
  return listPids(root).flatMap((pid) => {
    const comm = commOf(root, pid);
    return comm === undefined ? [] : [{ pid, comm }];
  });
}

/** The first process of that name, in the order of pids, below `root`/proc. */
export function pidOf(root: Root, comm: string): number | undefined {
  return listPids(root).find((pid) => commOf(root, pid) === comm);
}

/** Whether a process or a thread has that number. */
export function isThere(root: Root, number: number): boolean {
  return existsSync(`${root}/proc/${number}`);
}

/** The process that a thread belongs to, or a process itself, by its number; undefined when it has ended. */
export function processOfThread(root: Root, number: number): number | undefined {
  const status = readTextIfThere(`${root}/proc/${number}/status`);
  return status === undefined ? undefined : Number(/^Tgid:\s*(\d+)/m.exec(status)?.[1] ?? number);
}

/** A zombie, and one that is being removed (proc(5)). */
const ENDED = new Set(['Z', 'X']);

/**
 * Which program a process runs since when: comm changes when it starts another one, startTime (in the kernel's clock ticks
 * since boot) tells it from a later process of the same pid. Undefined when it has ended, also while its parent has not taken notice (a zombie).
 */
export function programLife(root: Root, pid: number): { comm: string; startTime: string } | undefined {
  const stat = readTextIfThere(`${root}/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name may hold anything; after it come the state, and field 22 as the 20th.
  const end = stat.lastIndexOf(')');
  const fields = stat.slice(end + 2).split(' ');
  const [state = '', startTime] = [fields[0], fields[19]];
  return ENDED.has(state) || startTime === undefined
    ? undefined
    : { comm: stat.slice(stat.indexOf('(') + 1, end), startTime };
}

/** The file that a process runs; undefined where only its owner may know, for a kernel thread, and when it has ended. */
export function executable(root: Root, pid: number): string | undefined {
  try {
    // A file that was replaced, as by an upgrade, is still the program.
    return readlinkSync(`${root}/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
  } catch {
    return undefined;
  }
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

/** What /proc/PID/status says. */
export interface ProcessStatus {
  /** Whom it runs as, by number; undefined in a copy of another host's files that does not say. */
  readonly user: number | undefined;
  readonly parent: number | undefined;
  /** A size in bytes, 0 for a field that it has not. The file's "kB" are units of 1024 bytes. */
  readonly memory: (field: string) => number;
}

/** Undefined when the process has ended. */
export function processStatus(root: Root, pid: number): ProcessStatus | undefined {
  const status = readTextIfThere(`${root}/proc/${pid}/status`);
  if (status === undefined) return undefined;
  const number = (pattern: RegExp) => {
    const text = pattern.exec(status)?.[1];
    return text === undefined ? undefined : Number(text);
  };
  return {
    user: number(/^Uid:\s*\d+\s+(\d+)/m),
    parent: number(/^PPid:\s*(\d+)/m),
    memory: (field) => (number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm')) ?? 0) * 1024,
  };
}

/** As processStatus().memory. */
export function memoryStatus(root: Root, pid: number): ((field: string) => number) | undefined {
  return processStatus(root, pid)?.memory;
}

/** Whether other users' processes are kept from us: a /proc that is mounted with hidepid shows not even the first one. */
export function hidesProcesses(root: Root): boolean {
  return root === '' && !existsSync('/proc/1/comm');
}

function commOf(root: Root, pid: number): string | undefined {
  try {
    return readTextIfThere(`${root}/proc/${pid}/comm`);
  } catch (error) {
    if (['EPERM', 'EACCES'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}
