import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeInventory } from '../../../src/core/inventory.js';
import { GuestProcesses } from '../../../src/host/guestProcesses.js';
import { HostTree } from '../../support/hostTree.js';

test('guests are inspected under the names of the inventory, those that no process shows among them', async () => {
  using tree = HostTree.create();
  for (const pid of [101, 102]) tree.addGuest(pid, 'windows', 1000);
  const processes = new GuestProcesses(tree.root);
  const told = [{ id: 'b7e1', name: 'far' }];
  const guests = await processes.inspect(takeInventory(told, await processes.look()));
  assert.deepEqual(
    guests.map(({ name, process }) => [name, process?.mergeability.mergeable]),
    [
      ['far', undefined],
      ['windows', true],
      ['windows (pid 102)', true],
    ],
  );
});
