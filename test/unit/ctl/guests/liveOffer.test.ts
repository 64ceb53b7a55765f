import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { guestObstacle } from '../../../../src/core/hold.js';
import { nowText } from '../../../../src/ctl/guests/now.js';
import { type OfferChange, changeOffer, offerText } from '../../../../src/ctl/guests/liveOffer.js';
import { parseOffered } from '../../../../src/host/offeredMemory.js';
import type { QemuMonitor } from '../../../../src/qemu/monitor.js';
import { HostTree } from '../../../support/hostTree.js';

const MIB = 1024 ** 2;

function smaps(...mappings: readonly (readonly [number, string])[]): string {
  return mappings
    .map(
      ([mib, flags]) =>
        `7f0 rw-p 0 00:00 0\nSize: ${String(mib * 1024).padStart(10)} kB\nRss: 4 kB\nVmFlags: ${flags} \n`,
    )
    .join('');
}

test('what a process offers is the size of its mappings with the flag mg, and what is merged all that KSM has', () => {
  assert.deepEqual(parseOffered(smaps([256, 'rd wr mg'], [64, 'rd wr'], [16, 'mg nh'], [8, 'rd mgx'])), {
    ...{ offeredBytes: 272 * MIB, mergedBytes: undefined },
  });
  assert.deepEqual(parseOffered('Size: 8 kB\nKSM:    4 kB\nVmFlags: mg\nSize: 4 kB\nKSM: 4 kB\nVmFlags: rd\n'), {
    ...{ offeredBytes: 8192, mergedBytes: 8192 },
  });
});

describe('a running guest', () => {
  /** Its 256 MiB are offered; QEMU does as `obeys` says when it is told otherwise. */
  const change = async (obeys: boolean, offered = false): Promise<OfferChange> => {
    using tree = HostTree.create();
    const show = (isOffered: boolean) => {
      tree.write('proc/42/smaps', smaps([256, isOffered ? 'rd mg' : 'rd'], [17, 'mg']));
      tree.write('proc/42/ksm_stat', `ksm_rmap_items 65536\nksm_merging_pages ${isOffered ? 51_200 : 64}\n`);
    };
    show(!offered);
    const monitor: QemuMonitor = {
      taints: false,
      execute: (command) => {
        if (command === 'qom-set' && obeys) show(offered);
        return Promise.resolve([{ id: 'pc.ram', size: 256 * MIB, merge: !offered }]);
      },
      [Symbol.dispose]: () => undefined,
    };
    return await changeOffer(tree.root, { pid: 42, name: 'web' }, monitor, offered, () => undefined);
  };

  test('a running guest is unmerged, which is read back from the kernel', async () => {
    const { millis, ...rest } = await change(true);
    assert.ok(millis >= 0);
    assert.deepEqual(rest, {
      ...{ guest: 'web', offered: false, memoryBytes: 256 * MIB, mergedBytesBefore: 200 * MIB },
      ...{ mergedBytes: undefined, offeredBytes: 17 * MIB },
    });
  });

  test('an unmerge of a running guest with which nothing happens is an error', async () => {
    await assert.rejects(
      change(false),
      /^Error: QEMU took the command, but nothing happened: its memory is still marked as mergeable /,
    );
    await assert.rejects(change(false, true), /its memory is not marked as mergeable in the kernel/);
  });
});

describe('what is said of it', () => {
  const CHANGE: OfferChange = {
    ...{
      guest: 'web',
      offered: false,
      memoryBytes: 512 * MIB,
      mergedBytesBefore: 300 * MIB,
      mergedBytes: 0,
      millis: 432,
    },
    offeredBytes: 17 * MIB,
  };
  const rows: readonly (readonly [Partial<OfferChange>, string])[] = [
    [{}, '300.0 MiB unmerged in 0.4 s'],
    [{ mergedBytes: MIB }, '299.0 MiB unmerged in 0.4 s; 1.0 MiB of firmware and video memory stay merged'],
    [{ mergedBytes: undefined }, '300.0 MiB unmerged in 0.4 s'],
    [{ mergedBytesBefore: undefined }, 'QEMU withdrew its memory from KSM'],
    [{ offered: true }, 'its 512.0 MiB are offered to KSM'],
  ];
  for (const [parts, text] of rows) {
    test(`a guest whose change has ${Object.entries(parts).join(' ') || 'all figures'} is told "${text}"`, () => {
      assert.equal(offerText({ ...CHANGE, ...parts }), text);
    });
  }

  test('what is said of a changed offer names the guest, and its next start', () => {
    const state = { running: true, pending: false, saved: false, obstacles: [] };
    const definition = { guest: 'web', forbidden: true, changed: true, ...state };
    assert.deepEqual(nowText({ now: CHANGE, definition }), [
      'guest web: 300.0 MiB unmerged in 0.4 s',
      'from its next start on KSM may not merge its memory',
    ]);
    const again = nowText({ now: CHANGE, definition: { ...definition, changed: false } });
    assert.equal(again[1], 'from its next start on KSM may not merge its memory, as before');
    const off = nowText({ now: undefined, definition: { ...definition, running: false } });
    assert.deepEqual(off, ['guest web: KSM may not merge its memory from its next start on']);
  });
});

test('a guest fits as long as a tenth of the available memory stays free', () => {
  const memory = {
    memTotalBytes: 1,
    memFreeBytes: 1,
    buffersBytes: 0,
    cachedBytes: 0,
    shmemBytes: 0,
    swapTotalBytes: 0,
  };
  const figures = {
    ...memory,
    swapFreeBytes: 0,
    hugetlbBytes: 0,
    reclaimableArcBytes: 0,
    memAvailableBytes: 100 * MIB,
  };
  assert.equal(guestObstacle('web', 90 * MIB, figures), undefined);
  assert.equal(
    guestObstacle('web', 91 * MIB, figures),
    'unmerging guest web needs up to 91.0 MiB; 100.0 MiB are available, of which a tenth must stay free',
  );
});
