import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type KsmStat, parseKsmStat, readKsmStat } from '../../../src/host/ksmStat.js';
import { HostTree } from '../../support/hostTree.js';

const NOTHING: KsmStat = {
  rmapItems: undefined,
  mergingPages: undefined,
  zeroPages: undefined,
  profitBytes: undefined,
  mergeable: undefined,
  mergeAny: undefined,
};

describe('ksm_stat', () => {
  const rows: { name: string; text: string; stat: KsmStat }[] = [
    { name: 'Linux 6.1', text: 'ksm_rmap_items 76800\n', stat: { ...NOTHING, rmapItems: 76_800 } },
    {
      name: 'Linux 6.4',
      text: 'ksm_rmap_items 76800\nksm_merging_pages 700\nksm_process_profit -2048000\n',
      stat: { ...NOTHING, rmapItems: 76_800, mergingPages: 700, profitBytes: -2_048_000 },
    },
    {
      name: 'Linux 6.6',
      text: 'ksm_rmap_items 76800\nksm_zero_pages 5\nksm_merging_pages 700\nksm_process_profit 10\n',
      stat: { ...NOTHING, rmapItems: 76_800, mergingPages: 700, zeroPages: 5, profitBytes: 10 },
    },
    {
      name: 'Linux 6.18, as read here',
      text:
        'ksm_rmap_items 16448\nksm_zero_pages 0\nksm_merging_pages 16448\nksm_process_profit 66318336\n' +
        'ksm_merge_any: no\nksm_mergeable: yes\n',
      stat: {
        ...{ rmapItems: 16_448, mergingPages: 16_448, zeroPages: 0, profitBytes: 66_318_336 },
        ...{ mergeable: true, mergeAny: false },
      },
    },
    { name: 'not offered', text: 'ksm_mergeable: no\n', stat: { ...NOTHING, mergeable: false } },
    {
      name: 'a counter that fell below zero, as some kernels let it',
      text: 'ksm_zero_pages 18446744073709551615\nksm_merging_pages 3\n',
      stat: { ...NOTHING, mergingPages: 3, zeroPages: -1 },
    },
    {
      name: 'lines of a kernel to come',
      text: 'ksm_new_thing: a b c\nksm_merging_pages 3\n',
      stat: { ...NOTHING, mergingPages: 3 },
    },
    { name: 'nothing at all', text: '', stat: NOTHING },
  ];
  for (const { name, text, stat } of rows) {
    test(`ksm_stat is read: ${name}`, () => {
      assert.deepEqual(parseKsmStat(text, 'ksm_stat'), stat);
    });
  }

  for (const text of ['ksm_merging_pages many\n', 'ksm_merging_pages 1.5\n', 'ksm_mergeable: perhaps\n']) {
    test(`the ksm_stat ${JSON.stringify(text)} is refused`, () => {
      assert.throws(
        () => parseKsmStat(text, '/proc/7/ksm_stat'),
        /^FatalError: \/proc\/7\/ksm_stat: ksm_merg\w+: expected /,
      );
    });
  }
});

describe('a process', () => {
  test('a process with ksm_merging_pages alone, as on Linux 5.19 and 6.1', async () => {
    using tree = HostTree.create();
    tree.write('proc/7/ksm_merging_pages', '42\n');
    assert.deepEqual(await readKsmStat(tree.root, 7), { kind: 'known', stat: { ...NOTHING, mergingPages: 42 } });
    tree.write('proc/7/ksm_stat', 'ksm_rmap_items 100\n');
    const stat = { ...NOTHING, rmapItems: 100, mergingPages: 42 };
    assert.deepEqual(await readKsmStat(tree.root, 7), { kind: 'known', stat });
  });

  test('a process of an older kernel, or one that has ended, has no ksm_stat', async () => {
    using tree = HostTree.create();
    tree.write('proc/7/comm', 'qemu-system-x86\n');
    assert.deepEqual(await readKsmStat(tree.root, 7), { kind: 'absent' });
    assert.deepEqual(await readKsmStat(tree.root, 8), { kind: 'absent' });
  });

  test('a process that is ending has empty ksm_stat files', async () => {
    using tree = HostTree.create();
    tree.write('proc/7/ksm_stat', '');
    tree.write('proc/7/ksm_merging_pages', '');
    assert.deepEqual(await readKsmStat(tree.root, 7), { kind: 'absent' });
  });

  test("the ksm_stat of somebody else's process cannot be read", async () => {
    using tree = HostTree.create();
    tree.write('proc/7/ksm_stat', 'ksm_merging_pages 1\n');
    chmodSync(`${tree.root}/proc/7/ksm_stat`, 0);
    const nobody = 65534;
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(nobody);
    try {
      assert.deepEqual(await readKsmStat(tree.root, 7), { kind: 'denied' });
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  test('the ksm_stat of this process on this kernel is read', async () => {
    const reply = await readKsmStat('', process.pid);
    assert.ok(reply.kind === 'absent' || (reply.kind === 'known' && reply.stat.mergingPages === 0));
  });
});
