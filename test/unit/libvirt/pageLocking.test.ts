// tp-libvirt's page_locking_and_shared_pages: each way to lock with each page size, with and without <nosharepages/>.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeMergeability } from '../../../src/core/mergeability.js';
import { traitsOfCommandLine } from '../../../src/host/qemuMemory.js';
import { allowMerging, differences, forbidMerging, forbidsMerging } from '../../../src/libvirt/domainXml.js';
import { traitsOfDefinition } from '../../../src/libvirt/memoryBacking.js';

const LOCKS = {
  default: { tune: '', backing: '', words: '-overcommit mem-lock=off' },
  'locked without a limit': { tune: '', backing: '<locked/>', words: '-overcommit mem-lock=on' },
  'locked with hard_limit 5 G': {
    tune: `<memtune><hard_limit unit='G'>5</hard_limit></memtune>`,
    backing: '<locked/>',
    words: '-overcommit mem-lock=on',
  },
};
const PAGES = {
  '4 KiB': { backing: '', file: '' },
  hugepages: {
    backing: '<hugepages/>',
    file: '-object memory-backend-file,id=pc.ram,mem-path=/dev/hugepages/libvirt/1,size=1G',
  },
};

for (const [lock, { tune, backing, words }] of Object.entries(LOCKS)) {
  for (const [size, pages] of Object.entries(PAGES)) {
    describe(`page_locking_and_shared_pages: ${lock}, ${size}`, () => {
      const inner = backing + pages.backing;
      const memoryBacking = inner === '' ? '' : `<memoryBacking>${inner}</memoryBacking>`;
      const xml = `<domain type='kvm'><name>a</name>${tune}${memoryBacking}<memory>1</memory></domain>`;
      const locked = backing !== '';
      const huge = size === 'hugepages' ? (['hugepages'] as const) : [];

      test(`${lock} with ${size} is read from definition and command line`, () => {
        assert.deepEqual(traitsOfDefinition(xml), { obstacles: huge, locked });
        const argv = `-machine pc,memory-backend=pc.ram ${pages.file} ${words}`.split(' ');
        const verdict = judgeMergeability(traitsOfCommandLine(argv), undefined);
        assert.deepEqual(verdict, { mergeable: huge.length === 0, obstacles: huge, locked });
      });

      test(`with ${lock} and ${size}, forbid gives nosharepages and allow takes it away, and nothing else changes`, () => {
        const forbidden = forbidMerging(xml);
        assert.ok(forbidsMerging(forbidden));
        assert.deepEqual(differences(xml, forbidden), []);
        assert.deepEqual(traitsOfDefinition(forbidden), { obstacles: ['nosharepages', ...huge], locked });
        assert.equal(allowMerging(forbidden), xml);
        const argv = `-machine pc,mem-merge=off,memory-backend=pc.ram ${pages.file} ${words}`.split(' ');
        const verdict = judgeMergeability(traitsOfCommandLine(argv), undefined);
        assert.deepEqual(verdict, { mergeable: false, obstacles: ['nosharepages', ...huge], locked });
      });
    });
  }
}
