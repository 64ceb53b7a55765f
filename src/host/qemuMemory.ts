import type { MemoryTraits, Obstacle } from '../core/guestMemory.js';

/** An option's value taken apart: `memfd,id=ram,share=on` or the same as JSON. */
type Properties = ReadonlyMap<string, string>;

/** They are shared unless told otherwise (QEMU's backends/hostmem-memfd.c and hostmem-shm.c). */
const SHARED_BY_DEFAULT = new Set(['memory-backend-memfd', 'memory-backend-shm']);

/**
 * What a QEMU command line says of the guest's memory. A memory backend's own merge=off is not asked: QEMU offers the
 * memory all the same unless the machine says mem-merge=off.
 */
export function traitsOfCommandLine(argv: readonly string[]): MemoryTraits {
  const machine = new Map(valuesOf(argv, 'machine', 'M').flatMap((value) => [...parse(value, 'type')]));
  const obstacles: Obstacle[] = [];
  if (isOff(machine.get('mem-merge'))) obstacles.push('nosharepages');
  const backends = ramBackends(argv, machine);
  if (backends.length > 0 && backends.every(isShared)) obstacles.push('shared');
  if (backends.length > 0 ? backends.every(isHuge) : inHugetlbfs(valuesOf(argv, 'mem-path')[0])) {
    obstacles.push('hugepages');
  }
  // A mediated device (sysfsdev=) holds only what it uses.
  const devices = valuesOf(argv, 'device').map((value) => parse(value, 'driver'));
  if (devices.some((device) => device.get('driver') === 'vfio-pci' && device.has('host'))) obstacles.push('pinned');
  if (machine.has('confidential-guest-support') || machine.has('memory-encryption')) obstacles.push('encrypted');
  const overcommit = valuesOf(argv, 'overcommit').flatMap((value) => [...parse(value, '')]);
  const locked = overcommit.some(([name, value]) => name === 'mem-lock' && !isOff(value));
  return { obstacles, locked };
}

/** The objects that the guest's memory is in, not those of an NVDIMM or an ivshmem device. Empty: memory without an object. */
function ramBackends(argv: readonly string[], machine: Properties): readonly Properties[] {
  const objects = valuesOf(argv, 'object').map((value) => parse(value, 'qom-type'));
  const dimms = valuesOf(argv, 'device').map((value) => parse(value, 'driver'));
  const users = [
    machine.get('memory-backend'),
    ...valuesOf(argv, 'numa').map((value) => parse(value, 'type').get('memdev')),
    ...dimms.filter((device) => device.get('driver') === 'pc-dimm').map((device) => device.get('memdev')),
  ];
  return objects.filter((object) => users.includes(object.get('id') ?? ''));
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

function valuesOf(argv: readonly string[], ...names: readonly string[]): readonly string[] {
  const flags = names.flatMap((name) => [`-${name}`, `--${name}`]);
  return argv.filter((_word, at) => flags.includes(argv[at - 1] ?? ''));
}

/** @param first the name of what comes first without one. A comma in a value is doubled. */
function parse(value: string, first: string): Properties {
  if (value.startsWith('{')) return parseJson(value);
  const parts = value
    .replaceAll(',,', '\0')
    .split(',')
    .map((part) => part.replaceAll('\0', ','));
  return new Map(
    parts.map((part, index): [string, string] => {
      const at = part.indexOf('=');
      if (at >= 0) return [part.slice(0, at), part.slice(at + 1)];
      return index === 0 ? [first, part] : [part, 'on'];
    }),
  );
}

function parseJson(text: string): Properties {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new Map();
  }
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return new Map(entries.map(([name, inner]) => [name, String(inner)]));
}
