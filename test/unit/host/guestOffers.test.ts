import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withLiveOffers } from '../../../src/host/guestOffers.js';
import { listGuestProcesses } from '../../../src/host/guestProcess.js';
import { HostTree } from '../../support/hostTree.js';

function smaps(offeredMiB: number, otherMiB: number): string {
  const mapping = (mib: number, flags: string) => `Size: ${mib * 1024} kB\nVmFlags: ${flags} \n`;
  return mapping(offeredMiB, 'rd wr mg') + mapping(otherMiB, 'rd wr');
}

async function seen(tree: HostTree): Promise<readonly string[]> {
  const guests = await withLiveOffers(tree.root, await listGuestProcesses(tree.root));
  return guests.map(({ name, mergeability: { mergeable, obstacles } }) => [name, mergeable, ...obstacles].join(' '));
}

test('a guest whose offer was taken back while it runs is not mergeable, whatever its firmware still offers', async () => {
  using tree = HostTree.create();
  tree.addGuest(11, 'web', 300_000, 1024);
  tree.addGuest(12, 'vault', 300_000, 1024);
  tree.write('proc/11/smaps', smaps(1040, 100));
  tree.write('proc/12/smaps', smaps(16, 1024));
  assert.deepEqual(await seen(tree), ['web true', 'vault false taken back']);
});

test('a guest that started without an offer and made it while it runs is mergeable', async () => {
  using tree = HostTree.create();
  const argv = ['/usr/bin/qemu-system-x86_64', '-name', 'guest=web', '-m', '1024', '-machine', 'q35,mem-merge=off'];
  tree.addProcess({ pid: 11, argv, residentKb: 300_000 });
  tree.write('proc/11/smaps', smaps(1024, 100));
  assert.deepEqual(await seen(tree), ['web true']);
  tree.write('proc/11/smaps', smaps(16, 1024));
  assert.deepEqual(await seen(tree), ['web false nosharepages']);
});

test('a guest whose smaps may not be read stays as it was', async () => {
  using tree = HostTree.create();
  tree.addGuest(11, 'web', 300_000, 1024);
  assert.deepEqual(await seen(tree), ['web true']);
});
