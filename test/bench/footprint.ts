import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DaemonProcess } from '../support/daemon.js';
import { HostTree } from '../support/hostTree.js';
import { PrivateBus } from '../support/dbus/privateBus.js';
import { quantile, residentBytes } from './figures.js';

/** From the start of the process to the first decision written to (a copy of) the kernel's files; median, milliseconds. */
export async function startUpMillis(runs: number): Promise<number> {
  const millis: number[] = [];
  await using bus = await PrivateBus.start({ libvirt: 'test' });
  for (let index = 0; index < runs; index += 1) {
    using tree = HostTree.create();
    tree.setMeminfo({ MemFree: 100000, Cached: 100000, Buffers: 0, Shmem: 0 });
    const begin = performance.now();
    await using daemon = DaemonProcess.start([
      '--root',
      tree.root,
      '--bus',
      bus.address,
      '--libvirt',
      '/org/libvirt/Test',
    ]);
    await daemon.line(/^start: /);
    millis.push(performance.now() - begin);
    await daemon.end();
  }
  return quantile(millis, 0.5);
}

/** The daemon's resident memory in bytes after `minutes` of ordinary work: a retune every second. */
export async function residentAfter(minutes: number, progress: (text: string) => void): Promise<number> {
  using tree = HostTree.create();
  tree.write('bench.conf', 'KSM_MONITOR_INTERVAL=1\n');
  await using bus = await PrivateBus.start({ libvirt: 'test' });
  const args = ['--root', tree.root, '--bus', bus.address, '--libvirt', '/org/libvirt/Test'];
  await using daemon = DaemonProcess.start([...args, '--config', `${tree.root}/bench.conf`]);
  const end = performance.now() + minutes * 60_000;
  while (performance.now() < end) {
    await sleep(Math.min(60_000, end - performance.now()));
    progress(`${(residentBytes(daemon.pid) / 1e6).toFixed(1)} MB`);
  }
  const bytes = residentBytes(daemon.pid);
  await daemon.end();
  return bytes;
}

/** What an installation without development dependencies takes on disk, in bytes: dist/src and the packages it needs. */
export function installedBytes(): number {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, { dev?: boolean }> };
  const packages = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  return treeBytes('dist/src') + packages.reduce((sum, [path]) => sum + treeBytes(path), 0);
}

function treeBytes(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => {
    const path = join(directory, name);
    const stat = lstatSync(path);
    // Nested packages are in the lock file themselves.
    if (stat.isDirectory()) return name === 'node_modules' ? sum : sum + treeBytes(path);
    return sum + stat.size;
  }, 0);
}
