import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuPercent } from '../../src/simulation/curve.js';
import { busiestPercent } from '../bench/ksm/curve.js';
import { Sampler } from '../bench/ksm/sampler.js';
import { readKsm } from '../support/kvm/ksm.js';
import { Scene, untilKsm } from './scene.js';

const PAGES_PER_MIB = (1024 * 1024) / 4096;
const GUEST = { commonMiB: 120, ownMiB: 60 };
const COMMON_PAGES = GUEST.commonMiB * PAGES_PER_MIB;
const CPU_MAX_PERCENT = 40;
/**
 * Memory is short whatever else is on the machine, and not nearly out. Where others keep the CPUs busy an idle ksmd would wait for ten
 * minutes until it has the kernel's own class.
 */
const CONFIG = [
  'KSM_POLICY=adaptive',
  `KSM_CPU_MAX=${CPU_MAX_PERCENT}`,
  'KSM_THRES_COEF=98',
  'KSM_KSMD_SCHED=other',
].join('\n');
const WINDOW_MILLIS = 10_000;

test('adaptive merges what is alike of real guests within its budget and rests; a late guest is merged too', async (t) => {
  await using scene = await Scene.open();
  const { lab } = scene;
  for (const name of ['sp-one', 'sp-two', 'sp-three']) await lab.startGuest({ name, ...GUEST });

  using sampler = new Sampler();
  await using daemon = await scene.startDaemon(CONFIG);
  await untilKsm('pages_sharing', (pages) => pages >= 2 * COMMON_PAGES * 0.9, daemon);
  await untilKsm('run', (run) => run === 0, daemon);
  await daemon.line(/nothing more to gain \(.* saved for .* of bookkeeping, after \d+ passes\): resting/);
  const atRest = sampler.take();

  const told = daemon.lines.length;
  const shared = Number((await readKsm())['pages_sharing']);
  await lab.startGuest({ name: 'sp-late', ...GUEST });
  await daemon.line(/guest sp-late started: .*sp-late is still filling its memory, so it waits/, { skip: told });
  assert.ok(cpuPercent(atRest, sampler.take()) < 10, 'ksmd ran while the guest came up');
  await untilKsm('pages_sharing', (pages) => pages >= shared + COMMON_PAGES * 0.9, daemon);
  await untilKsm('run', (run) => run === 0, daemon);

  const busiest = busiestPercent(sampler.points, WINDOW_MILLIS);
  t.diagnostic(`ksmd's busiest 10 s: ${busiest.toFixed(1)} % of a core`);
  assert.ok(busiest <= 1.1 * CPU_MAX_PERCENT, `${busiest} % of a core`);
  assert.equal(await daemon.end('SIGTERM'), 0, daemon.output);
  assert.equal((await readKsm())['smart_scan'] ?? '1', '1');
});

test('advisor with real guests: the kernel paces ksmd to what is alike, and what was changed is put back', async () => {
  await using scene = await Scene.open();
  const { lab } = scene;
  const before = await readKsm();
  for (const name of ['sp-one', 'sp-two']) await lab.startGuest({ name, ...GUEST });

  await using daemon = await scene.startDaemon(CONFIG.replace('adaptive', 'advisor'));
  await daemon.line(/the kernel's advisor aims at a pass in/);
  const during = await readKsm();
  assert.match(during['advisor_mode'] ?? '', /\[scan-time\]/);
  assert.equal(during['advisor_max_cpu'], String(CPU_MAX_PERCENT));
  await untilKsm('pages_sharing', (pages) => pages >= COMMON_PAGES * 0.9, daemon);

  assert.equal(await daemon.end('SIGTERM'), 0, daemon.output);
  const after = await readKsm();
  for (const name of ['run', 'pages_to_scan', 'sleep_millisecs', 'advisor_mode', 'advisor_max_cpu']) {
    assert.equal(after[name], before[name], name);
  }
  for (const name of ['advisor_min_pages_to_scan', 'advisor_max_pages_to_scan', 'advisor_target_scan_time']) {
    assert.equal(after[name], before[name], name);
  }
});
