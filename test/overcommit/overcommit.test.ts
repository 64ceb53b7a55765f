import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DaemonProperties } from '../../src/api/replies.js';
import { readMemoryFigures } from '../../src/host/meminfo.js';
import { runCtl } from '../support/daemon.js';
import type { BootedGuest } from '../support/kvm/bootedGuest.js';
import { readKsm } from '../support/kvm/ksm.js';
import { Scarcity } from '../support/kvm/scarcity.js';
import { SwapFile } from '../support/kvm/swapFile.js';
import { EAGER, Scene, untilKsm } from '../system/scene.js';

const MIB = 1024 ** 2;
const PAGE_BYTES = 4096;
const NAMES = ['sp-one', 'sp-two', 'sp-three'];
/** Of each guest. One after another they fit while what they fill merges, as pages in swap do not merge; split they do not. */
const OWN_MIB = 200;
const AVAILABLE_BYTES = 620 * MIB;
/** Between two looks at the same figure the guests and the host's own programs use memory. */
const NOISE_BYTES = 24 * MIB;

function about(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= 0.05 * expected + NOISE_BYTES, `${what}: ${actual} and ${expected}`);
}

/** Headroom and the guard of unmerge are what the kernel tells, once ksmd has been everywhere. */
async function expectTrueFigures({ lab }: Scene): Promise<void> {
  const passes = Number((await readKsm())['full_scans']);
  await untilKsm('full_scans', (now) => now >= passes + 2);
  const ctl = (...words: string[]) => runCtl(['--bus', lab.address, ...words]);
  assert.equal((await ctl('retune')).status, 0);
  const daemon = JSON.parse((await ctl('status', '--json')).stdout) as DaemonProperties;
  const { pages_sharing: sharing, ksm_zero_pages: zeros = '0' } = await readKsm();
  about(daemon.availableBytes, readMemoryFigures('').memAvailableBytes ?? NaN, 'available');
  about(daemon.savedBytes - daemon.freedBytes, (Number(sharing) + Number(zeros)) * PAGE_BYTES, 'saved');
  if (daemon.savedBytes < 1.1 * daemon.availableBytes) return;
  const { status, stderr } = await ctl('unmerge');
  assert.equal(status, 1);
  const [, needed, available] = /unmerging needs ([\d.]+) MiB[;,].* ([\d.]+) MiB are available/.exec(stderr) ?? [];
  about(Number(needed) * MIB, daemon.savedBytes - daemon.freedBytes, 'what unmerging needs');
  about(Number(available) * MIB, daemon.availableBytes, 'available to unmerge');
}

test('tp-qemu ksm_overcommit: guests too large for memory fill with one seed, split into swap, and none ends', async (t) => {
  await using scene = await Scene.open();
  await using daemon = await scene.startDaemon(EAGER);
  using swap = new SwapFile(2 * 1024);
  using scarce = new Scarcity(AVAILABLE_BYTES);
  t.diagnostic(`${Math.trunc(scarce.leftBytes / MIB)} MiB were available`);
  const guests: BootedGuest[] = [];
  const content = { commonMiB: 0, ownMiB: OWN_MIB, rewrittenMiBPerSecond: 0 };
  for (const [merged, name] of NAMES.entries()) {
    const guest = await scene.lab.startBootedGuest({ name, content });
    guests.push(guest);
    await guest.ready;
    await guest.align();
    const sharing = (0.95 * merged * OWN_MIB * MIB) / PAGE_BYTES;
    await untilKsm('pages_sharing', (pages) => pages >= sharing, daemon);
    await expectTrueFigures(scene);
  }
  for (const guest of guests) await guest.check();
  const sharingNow = async () => Number((await readKsm())['pages_sharing']);
  for (const [split, guest] of guests.entries()) {
    const before = await sharingNow();
    await guest.diverge();
    // A page that was split counts until ksmd comes by. The last guest has its pages for itself already.
    const most = before - (0.9 * OWN_MIB * MIB) / PAGE_BYTES;
    if (split < guests.length - 1) await untilKsm('pages_sharing', (pages) => pages <= most, daemon);
    await expectTrueFigures(scene);
  }
  t.diagnostic(`${Math.trunc(swap.usedBytes() / MIB)} MiB were in swap`);
  assert.ok(swap.usedBytes() > 0);
  for (const guest of guests) await guest.check();
  assert.equal(await daemon.end(), 0, daemon.output);
});
