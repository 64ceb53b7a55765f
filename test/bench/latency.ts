import { watch } from 'node:fs';
import { DaemonProcess } from '../support/daemon.js';
import { DomainEvents, EVENT } from '../support/dbus/domainEvents.js';
import { HostTree } from '../support/hostTree.js';
import { PrivateBus } from '../support/dbus/privateBus.js';
import { destroyTestGuest, startTestGuest, testGuestPath } from '../support/dbus/testDriver.js';
import { quantile } from './figures.js';

/**
 * From the DomainEvent, as it reaches another client of the same bus, to the new value in pages_to_scan, in milliseconds.
 * libvirt-dbus and its test driver are real; the kernel's files are a copy, so that every start can change a value: memory
 * is short in it and each retune adds to the page count. The settle time is 0.
 */
export async function eventLatency(starts: number): Promise<{ medianMillis: number; p99Millis: number }> {
  using tree = HostTree.create();
  tree.setMeminfo({ MemFree: 100000, Cached: 100000, Buffers: 0, Shmem: 0 });
  tree.write(
    'bench.conf',
    'KSM_NPAGES_MAX=4000000000\nKSM_EVENT_SETTLE=0\nKSM_EVENT_RECHECK=\nKSM_MONITOR_INTERVAL=86400\n',
  );
  await using bus = await PrivateBus.start({ libvirt: 'test' });
  const client = await bus.connect();
  using events = await DomainEvents.on(client);
  await using daemon = DaemonProcess.start([
    ...['--root', tree.root, '--bus', bus.address],
    ...['--libvirt', '/org/libvirt/Test', '--config', `${tree.root}/bench.conf`],
  ]);
  await daemon.line(/^start: /);

  const file = 'pages_to_scan';
  const millis: number[] = [];
  for (let index = 0; index < starts; index += 1) {
    const name = `latency-${index}`;
    const started = written(tree, file);
    await startTestGuest(client, name);
    const { at } = await events.next(testGuestPath(name), EVENT.started);
    millis.push((await started) - at);
    const stopped = written(tree, file);
    await destroyTestGuest(client, name);
    await stopped;
  }
  await daemon.end();
  return { medianMillis: quantile(millis, 0.5), p99Millis: quantile(millis, 0.99) };
}

/** performance.now() when the file has a new value; the kernel tells by inotify. */
function written(tree: HostTree, file: string): Promise<number> {
  const before = tree.ksm(file);
  return new Promise((resolve) => {
    const watcher = watch(`${tree.root}/sys/kernel/mm/ksm/${file}`, () => {
      // The value is replaced by a truncation and a write.
      if (['', before].includes(tree.ksm(file))) return;
      watcher.close();
      resolve(performance.now());
    });
  });
}
