import { spawnSync } from 'node:child_process';
import { listPids } from '../../src/host/processes.js';
import { readTextIfThere } from '../../src/host/sysfs.js';

interface Scheduled {
  readonly pid: number;
  readonly parent: number;
  readonly isIdle: boolean;
}

/** The number of SCHED_IDLE (sched(7)). */
const SCHED_IDLE = '5';
/** What begins while others are moved is found the next time. */
const MOST_ROUNDS = 10;

/**
 * Has a process of class SCHED_IDLE and all that it has started scheduled as others are. In that class they get nothing where
 * others keep every CPU busy.
 */
export function leaveIdleClass(pid: number): void {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const idle = family(pid, processes()).filter(({ isIdle }) => isIdle);
    for (const process of idle) spawnSync('chrt', ['--all-tasks', '--other', '--pid', '0', String(process.pid)]);
    if (idle.length === 0) return;
  }
}

function processes(): readonly Scheduled[] {
  return listPids('').flatMap((pid) => {
    // After the name come field 3, the state, and the parent; the policy is field 41 (proc_pid_stat(5)).
    const fields = readTextIfThere(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ');
    return fields === undefined ? [] : [{ pid, parent: Number(fields[1]), isIdle: fields[38] === SCHED_IDLE }];
  });
}

function family(pid: number, all: readonly Scheduled[]): readonly Scheduled[] {
  const children = all.filter(({ parent }) => parent === pid);
  return [...all.filter((process) => process.pid === pid), ...children.flatMap((child) => family(child.pid, all))];
}
