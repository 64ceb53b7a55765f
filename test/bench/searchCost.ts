import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICE_NODE_FLAGS } from '../support/serviceProcess.js';
import { cpuMillis } from './figures.js';

const GUESTS = 12;
const EMULATOR = 'qemu-system-x86_64';
const WARM_UP_MILLIS = 10_000;

/**
 * What the search for guests takes of a core where there is no libvirt, in percent, with guests' processes and others of this host;
 * Node has the service's flags. Each `turnMillis` one more process begins and ends.
 */
export async function searchCpuPercent(others: number, turnMillis: number, seconds: number): Promise<number> {
  const sleepers = Array.from({ length: GUESTS + others }, (_, index) =>
    spawn('sleep', ['infinity'], { stdio: 'ignore', ...(index < GUESTS ? { argv0: EMULATOR } : {}) }),
  );
  const turns = setInterval(() => spawn('true', { stdio: 'ignore' }), turnMillis);
  const script = join(import.meta.dirname, 'searchLoop.js');
  const search = spawn(process.execPath, [...SERVICE_NODE_FLAGS, script], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [found] = (await once(search.stdout, 'data')) as [Buffer];
    if (Number(found.toString()) < GUESTS) throw new Error(`${found.toString().trim()} guests were found of ${GUESTS}`);
    search.stdout.resume();
    await sleep(WARM_UP_MILLIS);
    const { pid = 0 } = search;
    const threads = readdirSync(`/proc/${pid}/task`);
    const [before, begin] = [cpuMillis(pid, threads), performance.now()];
    await sleep(seconds * 1000);
    return (100 * (cpuMillis(pid, threads) - before)) / (performance.now() - begin);
  } finally {
    clearInterval(turns);
    await Promise.all([search, ...sleepers].map(ended));
  }
}

async function ended(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
