import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { describe, mock, test } from 'node:test';
import { Collector } from '../../../src/daemon/sampler.js';
import { KsmDirectory } from '../../../src/host/ksm.js';
import { readProportionalMemory } from '../../../src/host/proportionalMemory.js';
import { guestsOf } from '../../support/guestsOf.js';
import { HostTree } from '../../support/hostTree.js';

const KB = 1024;

/** As the kernel writes it, with lines whose names begin alike. */
const rollup = (kb: number) =>
  `55f0-7ffc ---p 00000000 00:00 0    [rollup]\nRss:           900000 kB\nPss:           ${String(kb)} kB\nPss_Anon:  1 kB\nSwapPss:  2 kB\n`;

function committedOf(tree: HostTree) {
  const collector = new Collector(tree.root, new KsmDirectory(tree.root), guestsOf(tree.root));
  return async () => {
    const { memory, problems } = await collector.sample('pss');
    return {
      kb: memory.committedBytes / KB,
      problems: problems.map(({ sentence }) => sentence.replace(tree.root, '')),
    };
  };
}

describe('KSM_MEMORY_ACCOUNTING=pss', () => {
  test('KSM_MEMORY_ACCOUNTING=pss takes the PSS of guests, or what is in memory less what is merged', async () => {
    using tree = HostTree.create();
    tree.addGuest(101, 'web', 900_000);
    tree.addGuest(102, 'db', 900_000);
    tree.write('proc/101/smaps_rollup', rollup(500_000));
    tree.write('proc/102/ksm_stat', 'ksm_rmap_items 225000\nksm_merging_pages 100000\n');
    tree.setKsm('pages_shared', 50_000);
    tree.setKsm('pages_sharing', 150_000);
    assert.deepEqual(await committedOf(tree)(), { kb: 500_000 + 900_000 - 300_000, problems: [] });
  });

  test('the PSS of guests that samepaged may not trace is estimated, which one sentence says', async () => {
    using tree = HostTree.create();
    for (const pid of [101, 102]) {
      tree.addGuest(pid, `web${String(pid)}`, 900_000);
      tree.write(`proc/${String(pid)}/smaps_rollup`, rollup(1));
      chmodSync(`${tree.root}/proc/${String(pid)}/smaps_rollup`, 0);
    }
    chmodSync(tree.root, 0o755);
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65534);
    try {
      const { kb, problems } = await committedOf(tree)();
      assert.equal(kb, 1_800_000);
      assert.deepEqual(
        [...new Set(problems)],
        [
          "the guests' PSS cannot be read without CAP_SYS_PTRACE: samepaged estimates it from resident memory and merged pages (KSM_MEMORY_ACCOUNTING)",
        ],
      );
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  test('the PSS of a guest whose file cannot be parsed is estimated; the others have theirs', async () => {
    using tree = HostTree.create();
    tree.addGuest(101, 'web', 900_000);
    tree.addGuest(102, 'db', 900_000);
    tree.write('proc/101/smaps_rollup', rollup(500_000));
    tree.write('proc/102/smaps_rollup', 'Pss: much\n');
    const { kb, problems } = await committedOf(tree)();
    assert.equal(kb, 1_400_000);
    assert.deepEqual(problems, [
      'the PSS of guest db cannot be read (/proc/102/smaps_rollup: expected a line "Pss: NUMBER kB", found "Pss: much\\n"): samepaged estimates it from resident memory and merged pages',
    ]);
  });

  test('the PSS is read again after a second, or as soon as another guest runs', async () => {
    using tree = HostTree.create();
    tree.addGuest(101, 'web', 900_000);
    let millis = 1000;
    const clock = mock.method(performance, 'now', () => millis);
    try {
      const committed = committedOf(tree);
      const kbOf = async (pss: number) => {
        tree.write('proc/101/smaps_rollup', rollup(pss));
        return (await committed()).kb;
      };
      assert.equal(await kbOf(500_000), 500_000);
      millis += 900;
      assert.equal(await kbOf(600_000), 500_000);
      millis += 100;
      assert.equal(await kbOf(700_000), 700_000);
      tree.addGuest(102, 'db', 100_000);
      assert.equal(await kbOf(800_000), 900_000);
    } finally {
      clock.mock.restore();
    }
  });

  test('the PSS of this kernel is no more than is resident', async () => {
    const bytes = await readProportionalMemory('', process.pid);
    assert.ok(typeof bytes === 'number' && bytes > 0 && bytes <= process.memoryUsage.rss() * 1.1, String(bytes));
    assert.equal(await readProportionalMemory('', 2 ** 30), undefined);
  });
});
