import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { GuestsReport } from '../../src/ctl/guests/report.js';
import { differences, forbidsMerging } from '../../src/libvirt/domainXml.js';
import { type CommandResult, eventually, runCtl } from '../support/daemon.js';
import { guestXml } from '../support/kvm/guest.js';
import { mergeabilityOf } from '../support/guestsOf.js';
import { Scene } from './scene.js';

const MIB = 1024 ** 2;
const NOBODY = 65534;
const CTL = fileURLToPath(new URL('../../src/ctl/main.js', import.meta.url));

test('the table of real guests shows what is merged of each, and of the one with nosharepages nothing, and why', async (t) => {
  await using scene = await Scene.open();
  const { lab } = scene;
  const size = { commonMiB: 64, ownMiB: 16 };
  await lab.startGuest({ name: 'web-1', ...size });
  await lab.startGuest({ name: 'web-2', ...size });
  await lab.startGuest({ name: 'bank', ...size, noSharePages: true });
  await writeFile('/sys/kernel/mm/ksm/pages_to_scan', '10000');
  await writeFile('/sys/kernel/mm/ksm/run', '1');

  const merged = await eventually(
    async () => {
      const { stdout } = await runCtl(['--json', '--bus', lab.address, 'guests']);
      const report = JSON.parse(stdout) as GuestsReport;
      const done = report.guests.filter(({ mergedBytes }) => (mergedBytes ?? 0) >= size.commonMiB * MIB);
      return done.length === 2 ? report : undefined;
    },
    () => 'ksmd merged too little',
  );
  assert.equal(merged.source, 'libvirt');
  assert.deepEqual(merged.notes, []);
  const [first, second, bank] = merged.guests;
  assert.deepEqual([first?.name, second?.name].toSorted(), ['web-1', 'web-2']);
  for (const guest of [first, second]) {
    assert.ok((guest?.profitBytes ?? 0) > 0.9 * size.commonMiB * MIB);
    assert.ok((guest?.residentBytes ?? 0) > size.commonMiB * MIB);
    assert.deepEqual(guest?.mergeability, { mergeable: true, obstacles: [], locked: false });
  }
  assert.equal(bank?.name, 'bank');
  assert.equal(bank.mergedPages, 0);
  assert.deepEqual(bank.mergeability, { mergeable: false, obstacles: ['nosharepages'], locked: false });
  // Of two equal guests one copy stays, so each counts about what the host saves.
  const saved = merged.hostSavedBytes ?? 0;
  assert.ok(Math.abs(saved - (first?.mergedBytes ?? 0)) < 0.1 * saved, JSON.stringify(merged));

  const { stdout } = await runCtl(['--bus', lab.address, 'guests']);
  t.diagnostic(`\n${stdout}`);
  const lines = stdout.trimEnd().split('\n');
  for (const line of lines) assert.ok(line.length <= 80, line);
  assert.match(lines[4] ?? '', /^bank .* 0 +0 +0 {2}no: nosharepages$/);
  assert.match(stdout, /^nosharepages: .*samepagectl guests allow -- NAME allows it$/m);

  const other = await asNobody('--bus', lab.address, 'guests');
  assert.match(other.stdout, /^bank +\S+ +\S+ +- +- +- {2}no: nosharepages$/m);
  assert.match(other.stdout, /^only root can read what is merged of a guest: sudo samepagectl guests$/m);
});

test('a guest of the real libvirtd, forbidden, cannot be merged when it starts next', async () => {
  await using scene = await Scene.open();
  const { lab } = scene;
  const file = join(lab.bus.directory, 'shop.xml');
  const spec = { name: 'shop', commonMiB: 0, ownMiB: 0 };
  const arg = `<qemu:arg value='-global'/><qemu:arg value='kvm-pit.lost_tick_policy=delay'/>`;
  const xml = guestXml(spec, { common: '', own: '' })
    .replace('</qemu:commandline>', `${arg}</qemu:commandline>`)
    .replace('<os>', `<metadata><a:b xmlns:a='urn:a'><!-- kept --></a:b></metadata><os>`)
    .replace('</devices>', `<graphics type='vnc' port='-1' autoport='yes' passwd='s3cret&amp;'/></devices>`);
  await writeFile(file, xml);
  await lab.virsh('define', file);
  const dump = () => lab.virsh('dumpxml', '--inactive', '--security-info', 'shop');
  const before = await dump();
  const ctl = (...words: readonly string[]) => runCtl(['--bus', lab.address, 'guests', ...words]);

  await lab.virsh('start', 'shop', '--paused');
  assert.equal((await mergeabilityOf('', 'shop'))?.mergeable, true);
  const forbidden = await ctl('forbid', 'shop');
  assert.equal(forbidden.stderr, '');
  assert.match(forbidden.stdout, /^guest shop: KSM may not merge its memory from its next start on: shut it down/);
  const between = await dump();
  assert.ok(forbidsMerging(between) && between.includes('s3cret&amp;') && between.includes('<!-- kept -->'), between);
  assert.deepEqual(differences(before, between), []);
  assert.equal((await mergeabilityOf('', 'shop'))?.mergeable, true);

  await lab.destroyGuest('shop');
  await lab.virsh('start', 'shop', '--paused');
  const after = await mergeabilityOf('', 'shop');
  assert.deepEqual(after, { mergeable: false, obstacles: ['nosharepages'], locked: false });

  await lab.destroyGuest('shop');
  assert.equal((await ctl('allow', 'shop')).stdout, 'guest shop: KSM may merge its memory from its next start on\n');
  assert.equal(await dump(), before);
});

/** As a user who may not read what the kernel tells of a guest's memory. */
async function asNobody(...words: readonly string[]): Promise<Pick<CommandResult, 'stdout' | 'stderr'>> {
  return promisify(execFile)(process.execPath, [CTL, ...words], { uid: NOBODY, gid: NOBODY });
}
