import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportGuests } from '../../../../src/ctl/guests/report.js';
import { gatherHostFacts } from '../../../../src/doctor/facts.js';
import { HostTree } from '../../../support/hostTree.js';

test('a guest whose ksm_stat is not as it should be hides no other', async () => {
  using tree = HostTree.create();
  tree.addGuest(101, 'web', 1000);
  tree.write('proc/101/ksm_stat', 'ksm_merging_pages 7\n');
  tree.addGuest(102, 'odd', 1000);
  tree.write('proc/102/ksm_stat', 'ksm_merging_pages many\n');
  const { guests, notes } = await reportGuests({ root: tree.root, bus: undefined, libvirt: 'none' });
  assert.deepEqual(
    guests.map(({ name, mergedPages }) => [name, mergedPages]),
    [
      ['web', 7],
      ['odd', undefined],
    ],
  );
  assert.equal(notes.length, 1, notes.join('\n'));
  assert.match(notes[0] ?? '', /^what is merged of odd is not known \(.*102\/ksm_stat: ksm_merging_pages.*"many"/);
  const { processes } = await gatherHostFacts(tree.root);
  assert.equal(processes.state, 'known');
});

test('zero pages that Linux 6.6 to 6.9 counts below 0 take nothing from what is merged', async () => {
  using tree = HostTree.create();
  tree.addGuest(101, 'web', 1000);
  tree.write('proc/101/ksm_stat', 'ksm_rmap_items 9\nksm_merging_pages 7\nksm_zero_pages 18446744073709551606\n');
  const { guests } = await reportGuests({ root: tree.root, bus: undefined, libvirt: 'none' });
  assert.equal(guests[0]?.mergedPages, 7);
  assert.equal(guests[0].mergedBytes, 7 * 4096);
});
