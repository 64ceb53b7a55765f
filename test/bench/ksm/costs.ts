import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { parseArgs } from 'node:util';
import { restoreKsm, saveKsm } from '../../support/kvm/ksm.js';
import { Lab } from '../../support/kvm/lab.js';
import { CostExperiments, type Experiment } from './costExperiments.js';
import { type Pass, SinglePasses } from './singlePass.js';

/** `node dist/test/bench/ksm/costs.js`: what ksmd's work costs on this machine, page by page. Some six minutes. */

const { values } = parseArgs({ options: { json: { type: 'string' } } });
/** KSM is restored, and the laboratory ends, at exit. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const SLEEPS_MILLISECS = [1, 2, 4, 5, 10, 20, 50];
const WATCH_MILLIS = 2000;
const COLUMNS = ['CPU ms', 'us/page', 'scanned', 'skipped', 'merged', 'shared', 'sharing', 'unshared', 'volatile'];

function cells({ cpuMicros, scanned, skipped, merged, after }: Pass): string[] {
  const { pagesShared, pagesSharing, pagesUnshared = 0, pagesVolatile = 0 } = after;
  const pages = [scanned, skipped, merged, pagesShared, pagesSharing, pagesUnshared, pagesVolatile];
  return [(cpuMicros / 1000).toFixed(1), (cpuMicros / (scanned + skipped)).toFixed(2), ...pages.map(String)];
}

function print({ name, passes }: Experiment): void {
  process.stdout.write(`\n${name}\n${' '.repeat(8)}${COLUMNS.map((title) => title.padStart(9)).join(' ')}\n`);
  for (const [label, series] of Object.entries(passes)) {
    process.stdout.write(`  ${label}\n`);
    for (const [index, pass] of series.entries()) {
      const row = cells(pass).map((cell) => cell.padStart(9));
      process.stdout.write(`  ${String(index + 1).padStart(4)}  ${row.join(' ')}\n`);
    }
  }
}

const saved = await saveKsm();
const lab = await Lab.start();
try {
  const ksmd = new SinglePasses();
  const about = new CostExperiments(lab, ksmd);
  const experiments: Experiment[] = [];
  for (const run of [
    () => about.unique(0),
    () => about.unique(256),
    () => about.unique(1024),
    () => about.unique(2048, 2048),
    () => about.alike(512, 3),
    () => about.changing(512),
    () => about.zeros(512),
    () => about.absent(4096),
    () => about.quietChange(0),
    () => about.quietChange(1),
  ]) {
    const experiment = await run();
    print(experiment);
    experiments.push(experiment);
  }
  const guest = await lab.startBootedGuest({
    name: 'turns',
    content: { commonMiB: 0, ownMiB: 64, rewrittenMiBPerSecond: 0 },
  });
  await guest.ready;
  await ksmd.reset({ smartScan: 0 });
  process.stdout.write('\nsleep_millisecs and the real length of a turn\n');
  const turns: Record<number, number> = {};
  for (const sleepMillisecs of SLEEPS_MILLISECS) {
    const millis = await ksmd.turnMillis(sleepMillisecs, WATCH_MILLIS);
    turns[sleepMillisecs] = millis;
    process.stdout.write(`  ${String(sleepMillisecs).padStart(4)}  ${millis.toFixed(1)} ms\n`);
  }
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ kernel: release(), experiments, turns }, undefined, 2)}\n`);
  }
} finally {
  await lab.stop();
  await restoreKsm(saved);
}
