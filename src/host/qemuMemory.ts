import type { MemoryTraits, Obstacle } from '../core/mergeability.js';
import { type Properties, propertiesOf, valuesOf } from './qemuOptions.js';

/** They are shared by default (QEMU's backends/hostmem-memfd.c and hostmem-shm.c). */
const SHARED_BY_DEFAULT = new Set(['memory-backend-memfd', 'memory-backend-shm']);

/**
 * What a QEMU command line says of the guest's memory. A memory backend's own merge=off is not asked: QEMU offers the
 * memory all the same unless the machine says mem-merge=off.
 */
export function traitsOfCommandLine(argv: readonly string[]): MemoryTraits {
  const machine = new Map(propertiesOf(argv, 'type', 'machine', 'M').flatMap((option) => [...option]));
  const obstacles: Obstacle[] = [];
  if (isOff(machine.get('mem-merge'))) obstacles.push('nosharepages');
  const backends = ramBackends(argv, machine);
  if (backends.length > 0 && backends.every(isShared)) obstacles.push('shared');
  if (backends.length > 0 ? backends.every(isHuge) : inHugetlbfs(valuesOf(argv, 'mem-path')[0])) {
    obstacles.push('hugepages');
  }
  // A mediated device (sysfsdev=) holds only what it uses.
  const devices = propertiesOf(argv, 'driver', 'device');
  if (devices.some((device) => device.get('driver') === 'vfio-pci' && device.has('host'))) obstacles.push('pinned');
  if (machine.has('confidential-guest-support') || machine.has('memory-encryption')) obstacles.push('encrypted');
  const overcommit = propertiesOf(argv, '', 'overcommit').flatMap((option) => [...option]);
  const locked = overcommit.some(([name, value]) => name === 'mem-lock' && !isOff(value));
  return { obstacles, locked };
}

/** The objects that the guest's memory is in, not those of an NVDIMM or an ivshmem device. Empty: memory without an object. */
function ramBackends(argv: readonly string[], machine: Properties): readonly Properties[] {
  const dimms = propertiesOf(argv, 'driver', 'device').filter((device) => device.get('driver') === 'pc-dimm');
  const users = [
    machine.get('memory-backend'),
    ...[...propertiesOf(argv, 'type', 'numa'), ...dimms].map((user) => user.get('memdev')),
  ];
  return propertiesOf(argv, 'qom-type', 'object').filter((object) => users.includes(object.get('id') ?? ''));
}

function isShared(backend: Properties): boolean {
  const share = backend.get('share');
  return share === undefined ? SHARED_BY_DEFAULT.has(backend.get('qom-type') ?? '') : !isOff(share);
}

function isHuge(backend: Properties): boolean {
  const hugetlb = backend.get('hugetlb');
  return (hugetlb !== undefined && !isOff(hugetlb)) || inHugetlbfs(backend.get('mem-path'));
}

/** Where hugetlbfs is mounted by custom, and libvirt uses it: /dev/hugepages, /dev/hugepages1G, /run/hugepages. */
function inHugetlbfs(path: string | undefined): boolean {
  return path?.includes('/hugepages') === true;
}

function isOff(value: string | undefined): boolean {
  return value !== undefined && /^(off|no|false|n)$/.test(value);
}
