import { readdirSync } from 'node:fs';
import { call } from '../support/dbus/busClient.js';
import { DaemonProcess } from '../support/daemon.js';
import { HostTree } from '../support/hostTree.js';
import { PrivateBus } from '../support/dbus/privateBus.js';
import { startTestGuest } from '../support/dbus/testDriver.js';
import { cpuMillis } from './figures.js';

const MANAGER = { destination: 'org.samepaged1', path: '/org/samepaged1', interface: 'org.samepaged1.Manager' };
const WARM_UP = 200;

/**
 * CPU time of the daemon, all its threads, for one retune asked for by D-Bus: sample, decision, write and read-back,
 * properties and signal included; in milliseconds.
 *
 * @param source `libvirt`: guests of libvirt's test driver, listed by the real libvirt-dbus (which tells only their names);
 *   `proc`: guests found in /proc.
 */
export async function retuneCpuMillis(source: 'libvirt' | 'proc', guests: number, retunes: number): Promise<number> {
  using tree = HostTree.create();
  tree.write('bench.conf', 'KSM_NPAGES_MAX=4000000000\nKSM_EVENT_RECHECK=\nKSM_MONITOR_INTERVAL=86400\n');
  tree.setMeminfo({ MemFree: 100000, Cached: 100000, Buffers: 0, Shmem: 0 });
  await using bus = await PrivateBus.start(source === 'libvirt' ? { libvirt: 'test' } : {});
  const client = await bus.connect();
  for (let index = 0; index < guests; index += 1) {
    // The test driver comes with one guest of its own.
    if (source === 'proc') tree.addGuest(1000 + index, `guest-${index}`, 4096);
    else if (index > 0) await startTestGuest(client, `cost-${index}`);
  }
  const object = source === 'libvirt' ? '/org/libvirt/Test' : 'none';
  const args = ['--root', tree.root, '--bus', bus.address, '--libvirt', object, '--config', `${tree.root}/bench.conf`];
  await using daemon = DaemonProcess.start(args);
  await daemon.line(/^start: /);

  const retune = async (times: number) => {
    for (let index = 0; index < times; index += 1) await call(client, { ...MANAGER, member: 'Retune' });
  };
  await retune(WARM_UP);
  const threads = readdirSync(`/proc/${daemon.pid}/task`);
  const before = cpuMillis(daemon.pid, threads);
  await retune(retunes);
  const after = cpuMillis(daemon.pid, threads);
  await daemon.end();
  return (after - before) / retunes;
}
