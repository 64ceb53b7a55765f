import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { Overdue } from './inTime.js';
import { commandLine, listProcesses, programLife, userOf } from './processes.js';
import type { Root } from './sysfs.js';

/** A running program: its name, as it was asked for, and its pid. */
export interface RunningDaemon {
  readonly name: string;
  readonly pid: number;
}

/** A process's comm is cut to TASK_COMM_LEN - 1 bytes (include/linux/sched.h). */
const COMM_LENGTH = 15;
const INTERPRETER = /^(python[\d.]*|perl|bash|sh|dash|busybox)$/;
/** What follows it is a command, and no script. */
const COMMAND_OPTION = /^-\w*c$/;

/**
 * Running programs of these names, in the order of the names: executables, and scripts that were handed to their
 * interpreter. Any user may call a program as he likes, so only those count whose user may tune KSM.
 *
 * @param onPassedOver is called for each process whose command line does not come in time.
 */
export async function findDaemons(
  root: Root,
  names: readonly string[],
  onPassedOver: (what: string) => void = () => undefined,
): Promise<readonly RunningDaemon[]> {
  const found: RunningDaemon[] = [];
  for (const { pid, comm } of listProcesses(root)) {
    const executable = names.find((name) => name.slice(0, COMM_LENGTH) === comm);
    if (executable === undefined && !INTERPRETER.test(comm)) continue;
    if (!mayTuneKsm(root, userOf(root, pid))) continue;
    const name = executable ?? (await scriptOf(root, pid, onPassedOver));
    // A tuner that was killed keeps its name until its parent takes notice, and tunes nothing any more.
    if (name !== undefined && names.includes(name) && programLife(root, pid) !== undefined) found.push({ name, pid });
  }
  return found.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
}

/** samepaged does not start beside them: KSM is one per kernel, so two of them undo each other's work. */
const NOT_BESIDE = ['samepaged', 'ksmtuned'];

/** Whether samepaged does not start beside it. */
export function excludesOthers({ name }: RunningDaemon): boolean {
  return NOT_BESIDE.includes(name);
}

/** Other programs that tune the same kernel's KSM and beside which samepaged does not start. */
export async function findRivals(
  root: Root,
  ownPid: number,
  onPassedOver?: (what: string) => void,
): Promise<readonly RunningDaemon[]> {
  const found = await findDaemons(root, NOT_BESIDE, onPassedOver);
  return found.filter(({ pid }) => pid !== ownPid);
}

/** Whether it is root, or the owner of KSM's files, as samepaged's service is while it runs. */
export function mayTuneKsm(root: Root, user: number | undefined): boolean {
  if (user === undefined) return false;
  return user === 0 || user === statSync(`${root}/sys/kernel/mm/ksm/run`, { throwIfNoEntry: false })?.uid;
}

/** The file name of what an interpreter runs: its first argument that is neither an option nor busybox's name of a shell. */
async function scriptOf(root: Root, pid: number, onPassedOver: (what: string) => void): Promise<string | undefined> {
  const argv = await commandLine(root, pid).catch((error: unknown) => {
    if (!(error instanceof Overdue)) throw error;
    onPassedOver(error.message);
    return undefined;
  });
  const words = argv?.slice(1).map((word) => basename(word));
  return words?.find((word) => COMMAND_OPTION.test(word) || !(word.startsWith('-') || INTERPRETER.test(word)));
}
