import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { runCtl } from '../support/daemon.js';
import { readKsm } from '../support/kvm/ksm.js';
import { Scarcity } from '../support/kvm/scarcity.js';
import { EAGER, SMALL_GUEST, Scene, untilKsm } from './scene.js';

const PAGES_PER_MIB = (1024 * 1024) / 4096;
const SHAREABLE = SMALL_GUEST.commonMiB * PAGES_PER_MIB;

async function mergedGuests(scene: Scene): Promise<void> {
  for (const name of ['sp-one', 'sp-two']) await scene.lab.startGuest({ name, ...SMALL_GUEST });
  await untilKsm('pages_sharing', (pages) => pages > SHAREABLE / 2);
}

test('stop leaves shared pages shared, unmerge gives them back, resume merges again', async () => {
  await using scene = await Scene.open();
  await using daemon = await scene.startDaemon(EAGER);
  await mergedGuests(scene);
  const ctl = (...words: string[]) => runCtl(['--bus', scene.lab.address, ...words]);

  const stopped = await ctl('stop');
  assert.equal(stopped.status, 0, stopped.stderr);
  assert.match(stopped.stdout, /stopped by hand, shared pages stay shared.*\nrun 1 -> 0/);
  const atStop = await readKsm();
  assert.equal(atStop['run'], '0');
  assert.ok(Number(atStop['pages_sharing']) > SHAREABLE / 2);

  const unmerged = await ctl('unmerge');
  assert.equal(unmerged.status, 0, unmerged.stderr);
  const atUnmerge = await readKsm();
  assert.deepEqual([atUnmerge['run'], atUnmerge['pages_sharing']], ['2', '0']);
  await scene.lab.startGuest({ name: 'sp-three', ...SMALL_GUEST });
  await daemon.line(/guest sp-three started: everything is unmerged by hand/);
  assert.equal((await readKsm())['run'], '2', 'an event does not end the hold');

  assert.equal((await ctl('resume')).status, 0);
  await untilKsm('pages_sharing', (pages) => pages > SHAREABLE / 2);
  assert.equal(await daemon.end(), 0, daemon.output);
});

test('a pause ends by itself, and one without an end survives a restart', async () => {
  await using scene = await Scene.open();
  await using daemon = await scene.startDaemon(EAGER);
  await untilKsm('run', (run) => run === 1);
  const ctl = (...words: string[]) => runCtl(['--bus', scene.lab.address, ...words]);
  assert.match((await ctl('pause', '2s')).stdout, /paused by hand: not merging for another 2 s/);
  assert.equal((await readKsm())['run'], '0');
  await untilKsm('run', (run) => run === 1);
  await ctl('pause');
  assert.equal(await daemon.end(), 0, daemon.output);

  await using next = await scene.startDaemon(EAGER);
  await next.line(/^start: paused by hand: not merging until somebody resumes/);
  assert.equal((await readKsm())['run'], '0');
  await ctl('resume');
  await untilKsm('run', (run) => run === 1);
  assert.equal(await next.end(), 0, next.output);
});

test('unmerge is refused with the figures while it does not fit into memory', async () => {
  await using scene = await Scene.open();
  await using daemon = await scene.startDaemon(EAGER);
  const commonMiB = 600;
  for (const name of ['sp-one', 'sp-two']) await scene.lab.startGuest({ name, commonMiB, ownMiB: 10 });
  await untilKsm('pages_sharing', (pages) => pages > 0.95 * commonMiB * PAGES_PER_MIB, daemon);
  const before = (await readKsm())['pages_sharing'];
  {
    // Less than the 600 MiB that are saved.
    using scarce = new Scarcity(450 * 1024 ** 2);
    const refused = await runCtl(['--bus', scene.lab.address, 'unmerge']);
    assert.equal(refused.status, 1, `${scarce.leftBytes} bytes were available:\n${refused.stdout}`);
    assert.match(refused.stderr, /unmerging needs \d+\.\d MiB[;,].* \d+\.\d MiB are available.*--force does it anyway/);
    assert.equal((await readKsm())['run'], '1');
  }
  assert.ok(Number((await readKsm())['pages_sharing']) >= Number(before));
  assert.equal((await runCtl(['--bus', scene.lab.address, 'unmerge'])).status, 0);
  assert.equal((await readKsm())['pages_sharing'], '0');
  assert.equal(await daemon.end(), 0, daemon.output);
});

test('merge_across_nodes is refused by the kernel while pages are shared, told with the remedy, applied after', async () => {
  await using scene = await Scene.open();
  await using eager = await scene.startDaemon(EAGER);
  await mergedGuests(scene);
  assert.equal(await eager.end(), 0, eager.output);
  await writeFile('/sys/kernel/mm/ksm/run', '1');

  await using daemon = await scene.startDaemon(`${EAGER}\nKSM_MERGE_ACROSS_NODES=0`);
  await daemon.line(/merge_across_nodes stays 1 and is not set to 0: .*samepagectl unmerge, then resume/);
  assert.equal((await readKsm())['merge_across_nodes'], '1');
  await runCtl(['--bus', scene.lab.address, 'unmerge']);
  assert.equal((await readKsm())['merge_across_nodes'], '0');
  await runCtl(['--bus', scene.lab.address, 'resume']);
  assert.equal(await daemon.end(), 0, daemon.output);

  await writeFile('/sys/kernel/mm/ksm/run', '2');
  await using applying = await scene.startDaemon(`${EAGER}\nKSM_MERGE_ACROSS_NODES=0\nKSM_UNMERGE_TO_APPLY=1`);
  await applying.line(/^start: /);
  assert.equal((await readKsm())['merge_across_nodes'], '0');
  await untilKsm('pages_sharing', (pages) => pages > SHAREABLE / 2);
  assert.equal(await applying.end(), 0, applying.output);
  assert.equal((await readKsm())['merge_across_nodes'], '1', 'unmerged once more to give it back');
});

test('a memory device that is plugged into a guest is a reason to look', async () => {
  await using scene = await Scene.open();
  await using daemon = await scene.startDaemon();
  const directory = scene.lab.bus.directory;
  await writeFile(
    `${directory}/growing.xml`,
    `<domain type='qemu'>
  <name>sp-growing</name>
  <maxMemory slots='2' unit='MiB'>512</maxMemory>
  <memory unit='MiB'>128</memory>
  <cpu><numa><cell id='0' cpus='0' memory='128' unit='MiB'/></numa></cpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices>
</domain>`,
  );
  const dimm = "<memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target></memory>";
  await writeFile(`${directory}/dimm.xml`, dimm);
  await scene.lab.virsh('create', `${directory}/growing.xml`, '--paused');
  await daemon.line(/guest sp-growing started/);
  await scene.lab.virsh('attach-device', 'sp-growing', `${directory}/dimm.xml`, '--live');
  await daemon.line(/guest sp-growing resized/);
  assert.equal(await daemon.end(), 0, daemon.output);
});

test('a guest that should not be merged and can be is warned of when it starts', async () => {
  await using scene = await Scene.open();
  await using daemon = await scene.startDaemon('KSM_FORBID_GUESTS=other,sp-sec*');
  await scene.lab.startGuest({ name: 'sp-one', ...SMALL_GUEST });
  await scene.lab.startGuest({ name: 'sp-secret', ...SMALL_GUEST });
  await scene.lab.startGuest({ name: 'sp-secret-and-apart', ...SMALL_GUEST, noSharePages: true });
  await daemon.line(
    /^guest sp-secret should not be merged \(KSM_FORBID_GUESTS\), but KSM may merge it .*guests forbid -- sp-secret/,
  );
  await daemon.line(/guest sp-secret-and-apart started/);
  assert.equal(daemon.lines.filter(({ msg }) => msg.includes('should not be merged')).length, 1, daemon.output);
  assert.equal(await daemon.end(), 0, daemon.output);
});
