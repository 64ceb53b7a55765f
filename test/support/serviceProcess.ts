import { readFileSync, readdirSync } from 'node:fs';

/** Node's flags of the service; DaemonProcess starts Node without any. */
export const SERVICE_NODE_FLAGS: readonly string[] =
  /--jitless.*(?= \$known)/.exec(readFileSync('deploy/systemd/service.sh', 'utf8'))?.[0].split(' ') ?? [];

/** How often the threads of a process went to sleep by themselves since its start, and so were woken up. */
export function wakeUps(pid: number): number {
  const switches = readdirSync(`/proc/${pid}/task`).map((tid) => {
    const status = readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8');
    return Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(status)?.[1]);
  });
  return switches.reduce((sum, count) => sum + count, 0);
}
