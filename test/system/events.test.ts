import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMemoryFigures } from '../../src/host/meminfo.js';
import { EVENT } from '../support/dbus/domainEvents.js';
import { readKsm } from '../support/kvm/ksm.js';
import { GUEST, LARGE_GUEST, Scene, untilKsm } from './scene.js';

const PAGES_PER_MIB = (1024 * 1024) / 4096;

/** Settings, and not the counters that ksmd moves by itself. */
function settings(files: Record<string, string>): Record<string, string> {
  const counters = /^(pages_(?!to_scan)|full_scans|general_profit|ksm_zero_pages|stable_node_(chains|dups)$)/;
  return Object.fromEntries(Object.entries(files).filter(([name]) => !counters.test(name)));
}

test('the third of real guests makes ksmd merge, their end stops it, SIGTERM leaves no trace', async (t) => {
  await using scene = await Scene.open();
  const { lab, events } = scene;
  const before = settings(await readKsm());
  await using daemon = await scene.startDaemon('KSM_NPAGES_MIN=3000\nKSM_NPAGES_MAX=3000');

  for (const name of ['sp-one', 'sp-two']) {
    await lab.startGuest({ name, ...GUEST });
    await events.next(lab.guestPath(name), EVENT.started);
  }
  await daemon.line(/guest sp-two started/);
  assert.equal((await readKsm())['run'], '0', `merging began too early:\n${daemon.output}`);

  await lab.startGuest({ name: 'sp-three', ...LARGE_GUEST });
  const started = await events.next(lab.guestPath('sp-three'), EVENT.started);
  const merging = await untilKsm('run', (run) => run === 1, daemon);
  await daemon.line(/^guest sp-three started: .* merging/);
  t.diagnostic(`event to run=1: ${(merging - started.at).toFixed(0)} ms`);
  const now = await readKsm();
  const totalKb = readMemoryFigures('').memTotalBytes / 1024;
  assert.equal(now['pages_to_scan'], '3000');
  assert.equal(now['sleep_millisecs'], String(Math.max(10, Math.trunc((10 * 16 * 1024 * 1024) / totalKb))));

  const shareable = 2 * GUEST.commonMiB * PAGES_PER_MIB;
  await untilKsm('pages_sharing', (pages) => pages > shareable / 2, daemon);

  for (const name of ['sp-one', 'sp-two', 'sp-three']) await lab.destroyGuest(name);
  const last = await events.next(lab.guestPath('sp-one'), EVENT.stopped);
  const stopped = await untilKsm('run', (run) => run === 0, daemon);
  await daemon.line(/ stopped( and \d more)?: .*not merging/);
  t.diagnostic(`event to run=0: ${(stopped - last.at).toFixed(0)} ms`);

  assert.equal(await daemon.end('SIGTERM'), 0, daemon.output);
  assert.deepEqual(settings(await readKsm()), before);
  assert.equal(scene.hasLedger, false);
});
