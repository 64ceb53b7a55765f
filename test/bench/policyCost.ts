import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DaemonProcess } from '../support/daemon.js';
import { HostTree } from '../support/hostTree.js';
import { PrivateBus } from '../support/dbus/privateBus.js';
import { startTestGuest } from '../support/dbus/testDriver.js';
import { SERVICE_NODE_FLAGS, wakeUps } from '../support/serviceProcess.js';
import { cpuMillis } from './figures.js';

const GUESTS = 8;
const WARM_UP_MILLIS = 10_000;
/** Of a pretended ksmd: 2 GiB of memory, gone through in 5 s, at half a core. */
const PAGES = 524_288;
const PAGES_PER_SECOND = PAGES / 5;
const CPU_SHARE = 0.5;
const STEP_MILLIS = 50;

/** ksmd as its files show it; it runs while run is 1, and never has anything more to merge than in the pass before. */
class PretendedKsmd implements Disposable {
  private readonly tree: HostTree;
  private readonly timer: NodeJS.Timeout;
  private millis = 0;
  private cpuNanos = 0;

  constructor(tree: HostTree) {
    this.tree = tree;
    tree.addKsmd();
    this.show();
    this.timer = setInterval(() => {
      if (tree.ksm('run') === '1') this.step();
    }, STEP_MILLIS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer);
  }

  private step(): void {
    this.millis += STEP_MILLIS;
    this.cpuNanos += STEP_MILLIS * CPU_SHARE * 1e6;
    this.show();
  }

  /** Each pass merges a hundred MiB, so that the burst goes on. */
  private show(): void {
    const scanned = Math.trunc((this.millis / 1000) * PAGES_PER_SECOND);
    const passes = Math.trunc(scanned / PAGES);
    this.tree.setKsm('pages_scanned', scanned);
    this.tree.setKsm('full_scans', passes);
    this.tree.setKsm('pages_shared', 1000);
    this.tree.setKsm('pages_sharing', passes * 25_600);
    this.tree.setKsm('pages_unshared', 1000);
    this.tree.setKsm('pages_volatile', PAGES - 2000);
    this.tree.write(`proc/${this.tree.ksmdPid}/schedstat`, `${Math.trunc(this.cpuNanos)} 0 1\n`);
  }
}

interface Cost {
  /** Of a core. */
  readonly cpuPercent: number;
  readonly wakeUpsPerMinute: number;
}

/**
 * What the daemon takes, under the policy adaptive with guests of libvirt's test driver: in a burst, or at rest while memory is
 * enough. Node has the service's flags.
 */
export async function policyCost(phase: 'burst' | 'rest', seconds: number): Promise<Cost> {
  using tree = HostTree.create();
  tree.write('bench.conf', `KSM_POLICY=adaptive\nKSM_WHEN=${phase === 'burst' ? 'always' : 'needed'}\n`);
  tree.setMeminfo({ MemFree: 12_000_000 });
  await using bus = await PrivateBus.start({ libvirt: 'test' });
  const client = await bus.connect();
  // The test driver comes with one guest of its own.
  for (let index = 1; index < GUESTS; index += 1) await startTestGuest(client, `cost-${index}`);
  using ksmd = new PretendedKsmd(tree);
  const args = ['--root', tree.root, '--bus', bus.address, '--libvirt', '/org/libvirt/Test'];
  const nodeFlags = SERVICE_NODE_FLAGS;
  await using daemon = DaemonProcess.start([...args, '--config', `${tree.root}/bench.conf`], {}, { nodeFlags });
  await daemon.line(/libvirt is connected/);
  await sleep(WARM_UP_MILLIS);
  const threads = readdirSync(`/proc/${daemon.pid}/task`);
  const [before, begin] = [cpuMillis(daemon.pid, threads), performance.now()];
  const wakeUpsBefore = wakeUps(daemon.pid);
  await sleep(seconds * 1000);
  const millis = performance.now() - begin;
  const cost = {
    cpuPercent: (100 * (cpuMillis(daemon.pid, threads) - before)) / millis,
    wakeUpsPerMinute: ((wakeUps(daemon.pid) - wakeUpsBefore) * 60_000) / millis,
  };
  await daemon.end();
  ksmd[Symbol.dispose]();
  return cost;
}
