import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gatherHostFacts } from '../../../src/doctor/facts.js';
import { known, unknown } from '../../../src/doctor/fact.js';
import {
  type ExaminedGuest,
  examineProcesses,
  guestFacts,
  probePerProcessFile,
} from '../../../src/doctor/guestFacts.js';
import { readHugepagePools } from '../../../src/host/hugepages.js';
import { readRootFileSystem } from '../../../src/host/mounts.js';
import { readNumaNodes } from '../../../src/host/numa.js';
import { readEnabledServices } from '../../../src/host/services.js';
import { readSwapAreas } from '../../../src/host/swap.js';
import { readTransparentHugepages } from '../../../src/host/transparentHugepages.js';
import { configuredGuestUsers } from '../../../src/config/guestUsers.js';
import { HostTree } from '../../support/hostTree.js';
import { GIB, MIB } from '../../support/examples/doctorFacts.js';

describe('NUMA nodes', () => {
  test('two NUMA nodes are read with their distances', () => {
    assert.deepEqual(readNumaNodes('fixtures/hosts/numa'), [
      { id: 0, totalBytes: 64 * GIB, freeBytes: 1_400_000 * 1024, distances: [10, 21] },
      { id: 1, totalBytes: 64 * GIB, freeBytes: 1_500_000 * 1024, distances: [21, 10] },
    ]);
  });

  test('a node without memory is no NUMA node, and their order is that of their numbers', () => {
    using tree = HostTree.create();
    tree.write('sys/devices/system/node/node10/meminfo', 'Node 10 MemTotal:  1024 kB\n');
    tree.write('sys/devices/system/node/node2/meminfo', 'Node 2 MemTotal:  1024 kB\n');
    tree.write('sys/devices/system/node/node3/meminfo', 'Node 3 MemTotal:  0 kB\n');
    const nodes = readNumaNodes(tree.root);
    assert.deepEqual(
      nodes.map(({ id }) => id),
      [0, 2, 10],
    );
    assert.deepEqual(nodes[1], { id: 2, totalBytes: MIB, freeBytes: 0, distances: [] });
  });

  test('what holds cached files is free on a NUMA node, and shared memory is not', () => {
    using tree = HostTree.create();
    const lines = ['MemTotal: 4096 kB', 'MemFree: 1024 kB', 'FilePages: 512 kB', 'Shmem: 256 kB'];
    tree.write('sys/devices/system/node/node1/meminfo', lines.map((line) => `Node 1 ${line}\n`).join(''));
    assert.equal(readNumaNodes(tree.root).find(({ id }) => id === 1)?.freeBytes, 1280 * 1024);
  });

  test('a kernel without NUMA has no nodes; a malformed one is told', () => {
    using tree = HostTree.create();
    tree.write('sys/devices/system/node/node0/meminfo', 'nonsense\n');
    assert.throws(() => readNumaNodes(tree.root), /node0\/meminfo: expected a line "Node N MemTotal: NUMBER kB"/);
    tree.remove('sys/devices/system/node');
    assert.deepEqual(readNumaNodes(tree.root), []);
  });
});

describe('swap areas', () => {
  test('swap areas on a disk and zram are read', () => {
    assert.deepEqual(readSwapAreas('fixtures/hosts/numa'), [
      { path: '/dev/nvme0n1p3', sizeBytes: 8_388_604 * 1024, usedBytes: 0, inMemory: false },
      { path: '/dev/zram0', sizeBytes: 8_388_608 * 1024, usedBytes: 2_777_212 * 1024, inMemory: true },
    ]);
  });

  test('no swap areas are read where the file is empty or missing; a malformed one is told', () => {
    using tree = HostTree.create('arm64-16k');
    assert.deepEqual(readSwapAreas(tree.root), []);
    tree.write('proc/swaps', 'Filename Type\n/dev/sda2 partition\n');
    assert.throws(() => readSwapAreas(tree.root), /proc\/swaps: expected "PATH TYPE SIZE USED PRIORITY"/);
    tree.remove('proc/swaps');
    assert.deepEqual(readSwapAreas(tree.root), []);
  });
});

test('the file system of / is the last one mounted there; it is unknown without /proc/mounts', () => {
  using tree = HostTree.create('arm64-16k');
  tree.write('proc/mounts', 'rootfs / rootfs rw 0 0\n/dev/sda1 /boot ext4 rw 0 0\nrpool/ROOT/pve-1 / zfs rw 0 0\n');
  assert.deepEqual(readRootFileSystem(tree.root), { source: 'rpool/ROOT/pve-1', type: 'zfs' });
  tree.remove('proc/mounts');
  assert.deepEqual(readRootFileSystem(tree.root), { source: '', type: '' });
});

describe('transparent hugepages', () => {
  test('transparent hugepages are read: mode, size and use', () => {
    const hugepages = readTransparentHugepages('fixtures/hosts/arm64-16k');
    assert.deepEqual(hugepages, {
      ...{ mode: 'madvise', sizeBytes: 32 * MIB, usedBytes: 4 * GIB, splitFreesZeros: true },
    });
  });

  test('an old kernel tells less of transparent hugepages, one without them nothing', () => {
    using tree = HostTree.create('kernel-6.1');
    tree.remove('sys/kernel/mm/transparent_hugepage/hpage_pmd_size');
    assert.equal(readTransparentHugepages(tree.root)?.sizeBytes, undefined);
    tree.write('sys/kernel/mm/transparent_hugepage/enabled', 'always sometimes\n');
    assert.throws(() => readTransparentHugepages(tree.root), /enabled: expected always, madvise or never in brackets/);
    tree.remove('sys/kernel/mm/transparent_hugepage');
    assert.equal(readTransparentHugepages(tree.root), undefined);
  });
});

test('hugepage pools are those with pages in them', () => {
  assert.deepEqual(readHugepagePools('fixtures/hosts/numa'), [{ pageBytes: GIB, total: 24, free: 8, reserved: 0 }]);
  assert.deepEqual(readHugepagePools('fixtures/hosts/kernel-6.1'), []);
  using tree = HostTree.create();
  for (const [size, pages] of [
    ['1048576', 1],
    ['2048', 2],
  ] as const) {
    tree.write(`sys/kernel/mm/hugepages/hugepages-${size}kB/nr_hugepages`, `${pages}\n`);
  }
  assert.deepEqual(
    readHugepagePools(tree.root).map(({ total }) => total),
    [2, 1],
  );
  tree.remove('sys/kernel/mm/hugepages');
  assert.deepEqual(readHugepagePools(tree.root), []);
});

describe('enabled services', () => {
  test('enabled services are those of every target, by the units of their aliases, without masked ones', () => {
    using tree = HostTree.create('kernel-6.1');
    tree.write('etc/systemd/system/graphical.target.requires/momd.service', '');
    tree.write('etc/systemd/system/ksmtuned.service', '[Service]\n');
    symlinkSync('/dev/null', `${tree.root}/etc/systemd/system/ksm.service`);
    tree.write('lib/systemd/system/virtqemud.service', '[Service]\n');
    symlinkSync('/lib/systemd/system/virtqemud.service', `${tree.root}/etc/systemd/system/libvirtd.service`);
    const services = [...(readEnabledServices(tree.root) ?? [])].sort();
    assert.deepEqual(services, ['ksmtuned.service', 'momd.service', 'virtqemud.service']);
  });

  test('a host without systemd has no enabled services', () => {
    using tree = HostTree.create();
    tree.remove('etc');
    assert.equal(readEnabledServices(tree.root), undefined);
  });
});

async function examinedGuests(root: string): Promise<readonly ExaminedGuest[]> {
  const { guests } = guestFacts(known(await examineProcesses(root, configuredGuestUsers(root))), unknown('not asked'));
  assert.ok(guests.state === 'known');
  return guests.value;
}

test('guests of the NUMA host are read by name, with what keeps them from being merged', async () => {
  const guests = await examinedGuests('fixtures/hosts/numa');
  const obstacles = guests.map(({ name, mergeability }) => [name, ...(mergeability?.obstacles ?? [])]);
  assert.deepEqual(obstacles, [
    ['clock'],
    ['db', 'hugepages'],
    ['files', 'shared'],
    ['render', 'pinned'],
    ...[1, 2, 3, 4, 5, 6].map((number) => [`web${number}`]),
  ]);
  assert.equal(guests[0]?.mergeability?.locked, true);
  assert.equal(guests[1]?.configuredBytes, 16 * GIB);
});

test('a guest whose memory QEMU did not offer is read, as a new kernel tells', async () => {
  using tree = HostTree.create();
  tree.addGuest(101, 'web', 1000);
  const mergeable = async () => (await examinedGuests(tree.root))[0]?.mergeability;
  assert.equal((await mergeable())?.mergeable, true);
  tree.write('proc/101/ksm_stat', 'ksm_merging_pages 0\nksm_mergeable: no\n');
  assert.deepEqual((await mergeable())?.obstacles, ['not offered']);
});

test("KSM's figures of one process are read", async () => {
  assert.equal(await probePerProcessFile('fixtures/hosts/numa'), 'ksm_stat');
  assert.equal(await probePerProcessFile('fixtures/hosts/no-ksm'), 'none');
  using tree = HostTree.create('no-ksm');
  tree.write('proc/990/ksm_merging_pages', '0\n');
  assert.equal(await probePerProcessFile(tree.root), 'ksm_merging_pages');
  await assert.rejects(probePerProcessFile('fixtures/hosts/kernel-5.10'), /has no process to look at$/);
});

describe('facts of a host', () => {
  test('each fact of a host is read on its own: what cannot be read is unknown with the reason', async () => {
    using tree = HostTree.create();
    tree.write('proc/meminfo', 'MemTotal: many kB\n');
    tree.setKsm('run', 'x');
    tree.remove('etc');
    const facts = await gatherHostFacts(tree.root);
    assert.match(reasonOf(facts.memory), /MemTotal: expected a whole number/);
    assert.match(reasonOf(facts.ksm), /ksm\/run: expected a whole number, found "x"/);
    assert.match(reasonOf(facts.enabledServices), /etc\/systemd\/system is not there$/);
    assert.equal(facts.kernelRelease.state, 'known');
    assert.equal(facts.processes.state, 'known');
  });

  test('KSM and transparent hugepages may be absent from a host', async () => {
    const facts = await gatherHostFacts('fixtures/hosts/no-ksm');
    assert.equal(facts.ksm.state, 'absent');
    assert.equal(facts.transparentHugepages.state, 'absent');
  });

  test('16 KiB pages are read, 4096 bytes are an assumption', async () => {
    const { pageSize } = await gatherHostFacts('fixtures/hosts/arm64-16k');
    assert.deepEqual(pageSize, { state: 'known', value: { bytes: 16_384, assumed: false } });
    using tree = HostTree.create();
    tree.remove('proc/self/auxv');
    const assumed = await gatherHostFacts(tree.root);
    assert.deepEqual(assumed.pageSize, { state: 'known', value: { bytes: 4096, assumed: true } });
  });

  test('a configuration with errors has its defaults beside the errors', async () => {
    using tree = HostTree.create();
    tree.write('etc/ksmtuned.conf', 'KSM_THRES_COEF=many\nKSM_FORBID_GUESTS=a*, b\n');
    const { configuration } = await gatherHostFacts(tree.root);
    assert.ok(configuration.state === 'known');
    assert.match(configuration.value.errors.join(), /ksmtuned\.conf:1: KSM_THRES_COEF=many: expected/);
    assert.equal(configuration.value.values.KSM_THRES_COEF, 20);
  });
});

function reasonOf(fact: { readonly state: string; readonly reason?: string }): string {
  assert.equal(fact.state, 'unknown');
  return fact.reason ?? '';
}
