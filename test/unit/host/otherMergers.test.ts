import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readOtherMergers } from '../../../src/host/otherMergers.js';
import { HostTree } from '../../support/hostTree.js';

const stat = (records: number, merging: number, any = 'no') =>
  `ksm_rmap_items ${records}\nksm_zero_pages 0\nksm_merging_pages ${merging}\nksm_process_profit 0\nksm_merge_any: ${any}\n`;

describe('processes that use KSM and run no guest', () => {
  test('processes that use KSM and run no guest are counted, and the largest named', async () => {
    using tree = HostTree.create('kernel-5.10');
    const processes: [pid: number, name: string, text: string][] = [
      [101, 'qemu-system-x86', stat(9000, 9000)],
      [201, 'redis', stat(100, 20)],
      [202, 'browser', stat(0, 0, 'yes')],
      [203, 'journald', stat(500, 300, 'yes')],
      [204, 'sh', stat(0, 0)],
      [205, 'odd', 'ksm_rmap_items many\n'],
    ];
    for (const [pid, comm, text] of processes) {
      tree.addProcess({ pid, argv: [comm], residentKb: 1, comm });
      tree.write(`proc/${pid}/ksm_stat`, text);
    }
    assert.deepEqual(await readOtherMergers(tree.root, new Set([101])), {
      count: 3,
      mergedBytes: 320 * 4096,
      largest: [
        { pid: 203, comm: 'journald', mergedBytes: 300 * 4096 },
        { pid: 201, comm: 'redis', mergedBytes: 20 * 4096 },
        { pid: 202, comm: 'browser', mergedBytes: 0 },
      ],
    });
  });

  test('processes that use KSM and run no guest are not known on a kernel that does not tell', async () => {
    using tree = HostTree.create('kernel-5.10');
    tree.addProcess({ pid: 201, argv: ['redis'], residentKb: 1 });
    assert.equal(await readOtherMergers(tree.root, new Set()), undefined);
  });
});
