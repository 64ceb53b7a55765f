import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { AgentHost, reload, retune } from '../../support/agentHost.js';
import type { DaemonProcess } from '../../support/daemon.js';
import { assertGolden } from '../../support/golden.js';

const SETTINGS = { KSM_NPAGES_MAX: 800, KSM_THRES_CONST: '1G' };

/** One host's day: everything that decides is played, each step waited for. */
async function day(host: AgentHost, daemon: DaemonProcess): Promise<void> {
  host.memoryIsShort();
  await retune(daemon);
  await retune(daemon);
  await retune(daemon);
  host.tree.setKsm('sleep_millisecs', 500);
  await retune(daemon);
  await retune(daemon);
  host.memoryIsEnough();
  host.tree.addGuest(101, 'web', 14_000_000);
  await retune(daemon);
  host.tree.addGuest(101, 'web', 4_000_000);
  await retune(daemon);
  await retune(daemon);

  const good = `${host.tree.read('proc/meminfo')}\n`;
  host.tree.write('proc/meminfo', 'MemFree: 1 kB\n');
  daemon.child.kill('SIGUSR1');
  await daemon.line(/no decision/);
  host.tree.write('proc/meminfo', good);
  await retune(daemon);

  host.configure({ ...SETTINGS, KSM_NPAGES_MIN: 900 });
  await reload(daemon);
  await daemon.line(/^reload: /);
  host.memoryIsShort();
  await retune(daemon);
}

/** The text without what differs from run to run. */
function timeless(host: AgentHost, text: string): string {
  return text
    .replaceAll(host.address, 'BUS')
    .replaceAll(host.tree.root, 'HOST')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');
}

it('a whole run of samepaged has its log, its LOGFILE and what it leaves as they were', async () => {
  await using host = await AgentHost.create({ bus: {} });
  const logFile = `${host.tree.root}/ksmtuned.log`;
  host.configure(SETTINGS);
  host.tree.write('etc/ksmtuned.conf.d/50-colour.conf', 'KSM_COLOUR=blue\n');
  host.tree.addGuest(101, 'web', 2_000_000);
  host.tree.addGuest(102, 'db', 1_000_000);
  const before = host.ksmFiles();
  const daemon = await host.started();
  await day(host, daemon);
  assert.equal(await daemon.end(), 0);
  assert.deepEqual(host.ksmFiles(), before);
  assert.deepEqual(daemon.other, []);
  const log = daemon.lines.map(({ time, ...line }) => (time === undefined ? '' : `${JSON.stringify(line)}\n`));
  assertGolden('run.jsonl', timeless(host, log.join('')));

  host.configure({ ...SETTINGS, LOGFILE: logFile });
  host.memoryIsShort();
  const second = host.start();
  await host.paceIs('1 300 10');
  assert.equal(await second.end(), 0);
  assertGolden('logfile.txt', timeless(host, readFileSync(logFile, 'utf8')));
});
