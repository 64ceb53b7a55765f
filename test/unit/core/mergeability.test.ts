import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type GuestMemory, type Obstacle, byMergedPages, judgeMergeability } from '../../../src/core/mergeability.js';
import { traitsOfCommandLine } from '../../../src/host/qemuMemory.js';
import { traitsOfDefinition } from '../../../src/libvirt/memoryBacking.js';

/** The parts that matter of command lines; what is in single quotes is one word. */
function words(line: string): string[] {
  return Array.from(line.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, bare]) => quoted ?? bare ?? '');
}

describe('a command line', () => {
  const machine = '-machine pc-i440fx-7.2,usb=off,dump-guest-core=off,memory-backend=pc.ram';
  const object = (properties: string) => `${machine} -m 96 -object '{"qom-type":${properties},"size":100663296}'`;
  const rows: { name: string; line: string; obstacles?: readonly Obstacle[]; locked?: boolean }[] = [
    { name: 'libvirt 9, plain', line: `${object('"memory-backend-ram","id":"pc.ram"')} -overcommit mem-lock=off` },
    { name: 'without an object', line: '-m 1024 -machine pc' },
    {
      name: '<nosharepages/>',
      line: '-machine pc-i440fx-7.2,usb=off,mem-merge=off,memory-backend=pc.ram -m 96',
      obstacles: ['nosharepages'],
    },
    { name: 'JSON of no use', line: `-machine pc -object '{"id":{"toString":1,"valueOf":1},"x":[],"y":null}'` },
    { name: '-M', line: '-M q35,mem-merge=off', obstacles: ['nosharepages'] },
    {
      name: "a backend's merge=off, which QEMU does not heed",
      line: '-machine pc,memory-backend=ram -object memory-backend-ram,id=ram,size=96M,merge=off',
    },
    { name: 'memfd', line: object('"memory-backend-memfd","id":"pc.ram"'), obstacles: ['shared'] },
    { name: 'memfd, shared', line: object('"memory-backend-memfd","id":"pc.ram","share":true'), obstacles: ['shared'] },
    { name: 'memfd, private', line: object('"memory-backend-memfd","id":"pc.ram","share":false') },
    {
      name: 'a private file',
      line: object('"memory-backend-file","id":"pc.ram","mem-path":"/var/lib/libvirt/qemu/ram/7/pc.ram"'),
    },
    {
      name: 'a shared file',
      line: object('"memory-backend-file","id":"pc.ram","mem-path":"/var/lib/libvirt/qemu/ram/8/pc.ram","share":true'),
      obstacles: ['shared'],
    },
    {
      name: 'shm',
      line: '-machine pc,memory-backend=m -object memory-backend-shm,id=m,size=1G',
      obstacles: ['shared'],
    },
    {
      name: 'hugepages as libvirt has them',
      line: object(
        '"memory-backend-file","id":"pc.ram","mem-path":"/dev/hugepages/libvirt/qemu/1-web","prealloc":true',
      ),
      obstacles: ['hugepages'],
    },
    {
      name: 'hugepages by memfd for virtiofs',
      line: object('"memory-backend-memfd","id":"pc.ram","hugetlb":true,"share":true'),
      obstacles: ['shared', 'hugepages'],
    },
    {
      name: 'hugepages as they used to be',
      line: '-m 1024 -mem-prealloc -mem-path /dev/hugepages1G/libvirt',
      obstacles: ['hugepages'],
    },
    { name: 'a path in a file system', line: '-m 1024 -mem-path /mnt/pmem' },
    {
      name: 'NUMA nodes of which one is shared',
      line:
        '-machine pc -object memory-backend-ram,id=ram-node0,size=1G -object memory-backend-memfd,id=ram-node1,share=yes,size=1G ' +
        '-numa node,nodeid=0,cpus=0-1,memdev=ram-node0 -numa node,nodeid=1,cpus=2-3,memdev=ram-node1',
    },
    {
      name: 'NUMA nodes that are all shared',
      line:
        '-machine pc -object memory-backend-file,id=n0,mem-path=/dev/shm/a,,b,share=on,size=1G -object memory-backend-memfd,id=n1,size=1G ' +
        '-numa node,nodeid=0,memdev=n0 -numa node,nodeid=1,memdev=n1',
      obstacles: ['shared'],
    },
    {
      name: 'a memory device beside a shared node',
      line:
        '-machine pc -object memory-backend-memfd,id=n0,size=1G -object memory-backend-ram,id=memdimm0,size=1G ' +
        `-numa node,nodeid=0,memdev=n0 -device '{"driver":"pc-dimm","node":0,"memdev":"memdimm0","id":"dimm0"}'`,
    },
    {
      name: 'an NVDIMM and an ivshmem device are not its memory',
      line:
        `${object('"memory-backend-ram","id":"pc.ram"')} -object memory-backend-file,id=memnvdimm0,mem-path=/tmp/nvdimm,share=on,size=1G ` +
        '-device nvdimm,memdev=memnvdimm0 -object memory-backend-file,id=shmmem-shmem0,mem-path=/dev/shm/x,share=on,size=4M',
    },
    { name: '<locked/>', line: '-m 1024 -overcommit mem-lock=on', locked: true },
    { name: 'locked as it is used', line: '-m 1024 -overcommit mem-lock=on-fault,cpu-pm=on', locked: true },
    {
      name: 'PCI passthrough',
      line: `-device '{"driver":"vfio-pci","host":"0000:01:00.0","id":"hostdev0"}'`,
      obstacles: ['pinned'],
    },
    { name: 'PCI passthrough by hand', line: '-device vfio-pci,host=01:00.0', obstacles: ['pinned'] },
    { name: 'a mediated device', line: '-device vfio-pci,id=hostdev0,sysfsdev=/sys/bus/mdev/devices/53764d0e' },
    {
      name: 'SEV',
      line: '-machine pc-q35-7.2,confidential-guest-support=lsec0 -object sev-guest,id=lsec0',
      obstacles: ['encrypted'],
    },
    { name: 'words that are cut off or no JSON', line: `-object '{"qom' -device '[]' -machine` },
  ];
  for (const { name, line, obstacles = [], locked = false } of rows) {
    test(`mergeability by the command line of QEMU: ${name}`, () => {
      const argv = ['/usr/bin/qemu-system-x86_64', '-name', 'guest=web', ...words(line)];
      assert.deepEqual(traitsOfCommandLine(argv), { obstacles, locked });
    });
  }
});

describe('a definition', () => {
  const backing = (inner: string) => `<memoryBacking>${inner}</memoryBacking>`;
  const cells = (...modes: string[]) =>
    `<cpu><numa>${modes.map((mode, id) => `<cell id='${id}' cpus='${id}' memory='1'${mode}/>`).join('')}</numa></cpu>`;
  const shared = ` memAccess='shared'`;
  const rows: { name: string; inner: string; obstacles?: readonly Obstacle[]; locked?: boolean }[] = [
    { name: 'plain', inner: '<memory>1</memory>' },
    { name: 'nosharepages', inner: backing('<nosharepages/>'), obstacles: ['nosharepages'] },
    { name: 'memfd is shared', inner: backing(`<source type='memfd'/>`), obstacles: ['shared'] },
    { name: 'private memfd', inner: backing(`<source type='memfd'/><access mode='private'/>`) },
    { name: 'a file is private', inner: backing(`<source type='file'/>`) },
    { name: 'a shared file', inner: backing(`<source type='file'/><access mode='shared'/>`), obstacles: ['shared'] },
    { name: 'shared', inner: backing(`<access mode='shared'/>`), obstacles: ['shared'] },
    { name: 'each cell shared', inner: cells(shared, shared), obstacles: ['shared'] },
    { name: 'one cell shared', inner: cells(shared, '') },
    { name: 'one cell private', inner: backing(`<access mode='shared'/>`) + cells('', ` memAccess='private'`) },
    { name: 'hugepages', inner: backing('<hugepages/>'), obstacles: ['hugepages'] },
    {
      name: 'hugepages of a size',
      inner: backing(`<hugepages><page size='1' unit='GiB'/></hugepages>`),
      obstacles: ['hugepages'],
    },
    {
      name: 'hugepages for some cells',
      inner: backing(`<hugepages><page size='1' nodeset='0'/></hugepages>`) + cells('', ''),
    },
    {
      name: 'hugepages for all cells',
      inner:
        backing(`<hugepages><page size='1' nodeset='0-1'/><page size='2' nodeset='2'/></hugepages>`) +
        cells('', '', ''),
      obstacles: ['hugepages'],
    },
    { name: 'locked', inner: backing('<locked/>'), locked: true },
    { name: 'a PCI device', inner: `<devices><hostdev mode='subsystem' type='pci'/></devices>`, obstacles: ['pinned'] },
    { name: 'a network function', inner: `<devices><interface type='hostdev'/></devices>`, obstacles: ['pinned'] },
    { name: 'a USB device', inner: `<devices><hostdev type='usb'/><interface type='network'/></devices>` },
    { name: 'a mediated device', inner: `<devices><hostdev type='mdev'/></devices>` },
    { name: 'SEV', inner: `<launchSecurity type='sev'/>`, obstacles: ['encrypted'] },
    {
      name: 'much at once',
      inner: backing(`<locked/><hugepages/><nosharepages/><access mode='shared'/>`),
      obstacles: ['nosharepages', 'shared', 'hugepages'],
      locked: true,
    },
  ];
  for (const { name, inner, obstacles = [], locked = false } of rows) {
    test(`mergeability by the definition of libvirt: ${name}`, () => {
      assert.deepEqual(traitsOfDefinition(`<domain>${inner}</domain>`), { obstacles, locked });
    });
  }
});

describe('mergeable', () => {
  const rows: { obstacles: readonly Obstacle[]; offered: boolean | undefined; left: readonly Obstacle[] }[] = [
    { obstacles: [], offered: undefined, left: [] },
    { obstacles: [], offered: true, left: [] },
    { obstacles: [], offered: false, left: ['not offered'] },
    { obstacles: ['nosharepages'], offered: undefined, left: ['nosharepages'] },
    { obstacles: ['nosharepages'], offered: false, left: ['nosharepages'] },
    // Offered as a whole by systemd's MemoryKSM=.
    { obstacles: ['nosharepages'], offered: true, left: [] },
    // Its firmware and video memory are offered.
    { obstacles: ['shared'], offered: true, left: ['shared'] },
    { obstacles: ['nosharepages', 'hugepages'], offered: true, left: ['hugepages'] },
    { obstacles: ['pinned'], offered: false, left: ['pinned'] },
  ];
  for (const { obstacles, offered, left } of rows) {
    test(`a guest with ${obstacles.join(', ') || 'no obstacle'} is judged where the kernel says ${String(offered)}`, () => {
      for (const locked of [false, true]) {
        const judged = judgeMergeability({ obstacles, locked }, offered);
        assert.deepEqual(judged, { mergeable: left.length === 0, obstacles: left, locked });
      }
    });
  }
});

test('guests are sorted by merged pages, those that are not told last, then by name', () => {
  const guest = (name: string, mergedPages: number | undefined) => ({ name, mergedPages }) as GuestMemory;
  const guests = [guest('b', 0), guest('x', undefined), guest('a', 0), guest('c', 7), guest('u', undefined)];
  assert.deepEqual(
    guests.toSorted(byMergedPages).map(({ name }) => name),
    ['c', 'a', 'b', 'u', 'x'],
  );
});
