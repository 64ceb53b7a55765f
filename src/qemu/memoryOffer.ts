import * as v from 'valibot';
import type { QemuMonitor } from './monitor.js';

/** `query-memdev`: every memory backend, those of NUMA nodes and those added later among them. */
const Backends = v.array(v.object({ id: v.string(), size: v.number(), merge: v.boolean() }));

/**
 * Has QEMU offer a running guest's memory to KSM, or take the offer back: all of it, and what is added later. The kernel
 * unmerges memory whose offer is taken back before QEMU answers; the guest may stand still meanwhile.
 *
 * @param isOffered tells whether the kernel knows the memory as offered; undefined where that cannot be read. Asked with
 *   the size of the guest's memory in bytes.
 * @returns that size.
 */
export async function offerMemory(
  monitor: QemuMonitor,
  offered: boolean,
  isOffered: (memoryBytes: number) => Promise<boolean | undefined>,
): Promise<number> {
  const backends = v.parse(Backends, await monitor.execute('query-memdev'));
  if (backends.length === 0) throw new Error('QEMU shows no memory backend whose offer could change (before 5.0)');
  const memoryBytes = backends.reduce((sum, { size }) => sum + size, 0);
  const set = (path: string, property: string, value: boolean) => monitor.execute('qom-set', { path, property, value });
  const isOut = (await isOffered(memoryBytes)) === !offered;
  await set('/machine', 'mem-merge', offered);
  for (const { id, merge } of backends) {
    // QEMU does nothing where its own word has that value already, whatever the kernel knows.
    if (isOut && merge === offered) await set(`/objects/${id}`, 'merge', !offered);
    await set(`/objects/${id}`, 'merge', offered);
  }
  return memoryBytes;
}
