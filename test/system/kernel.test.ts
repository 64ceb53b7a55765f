import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { KsmDirectory } from '../../src/host/ksm.js';
import { callBus } from '../support/dbus/busClient.js';
import { DaemonProcess, eventually } from '../support/daemon.js';
import { readKsm, resetKsm } from '../support/kvm/ksm.js';
import { SMALL_GUEST, Scene, untilKsm } from './scene.js';

const KSM = '/sys/kernel/mm/ksm';
/** Merging from the first decision on: everything is reserve. */
const ALWAYS = 'KSM_THRES_COEF=100';
const NOBODY = 65534;

test('what the kernel refuses is one clear sentence', async () => {
  await using scene = await Scene.open();
  const { lab } = scene;
  const ksm = new KsmDirectory('');
  await writeFile(`${KSM}/advisor_mode`, 'scan-time');
  await assert.rejects(ksm.write('pagesToScan', 100), /pages_to_scan cannot be set to 100: .*\(EINVAL\)/);
  await resetKsm();
  await assert.rejects(ksm.write('maxKernelPages', 1), /max_kernel_pages cannot be set to 1: .*\(ENOENT\)/);

  for (const name of ['sp-one', 'sp-two']) await lab.startGuest({ name, ...SMALL_GUEST });
  await ksm.write('pagesToScan', 20_000);
  await ksm.write('run', 1);
  await untilKsm('pages_shared', (pages) => pages > 0);
  await assert.rejects(ksm.write('mergeAcrossNodes', 0), /merge_across_nodes cannot be set to 0: .*\(EBUSY\)/);
});

test("the kernel's advisor is switched off for the run and on again after it", async () => {
  await using scene = await Scene.open();
  await writeFile(`${KSM}/advisor_mode`, 'scan-time');
  await using daemon = await scene.startDaemon(ALWAYS);
  await untilKsm('run', (run) => run === 1);
  const during = await readKsm();
  assert.equal(during['advisor_mode'], '[none] scan-time');
  assert.equal(during['pages_to_scan'], '300');
  assert.equal(await daemon.end(), 0, daemon.output);
  const after = await readKsm();
  assert.equal(after['advisor_mode'], 'none [scan-time]');
  assert.equal(after['run'], '0');
  assert.deepEqual(
    // Whether ksm.service is enabled is this machine's matter.
    daemon.lines.filter(({ level, msg }) => level === 'warn' && !msg.includes('is enabled and would fight')),
    [],
  );
});

test('values of KSM are set through libvirt, run through sysfs', async () => {
  await using scene = await Scene.open();
  const { client } = scene;
  const calls: unknown[] = [];
  client.on('message', (message) => {
    if (message.member === 'NodeSetMemoryParameters') calls.push(Object.keys(message.body[0] as object));
  });
  await callBus(client, 'AddMatch', "type='method_call',member='NodeSetMemoryParameters',eavesdrop='true'");
  await using daemon = await scene.startDaemon(ALWAYS);
  await untilKsm('run', (run) => run === 1);
  await eventually(() => calls.length > 0);
  assert.deepEqual(calls, [['shm_pages_to_scan', 'shm_sleep_millisecs']]);
  assert.equal(await daemon.end(), 0, daemon.output);
});

test('after SIGKILL the next start knows what the host had, and gives it back', async () => {
  await using scene = await Scene.open();
  await writeFile(`${KSM}/pages_to_scan`, '123');
  await writeFile(`${KSM}/sleep_millisecs`, '45');
  await using killed = await scene.startDaemon(ALWAYS);
  await untilKsm('run', (run) => run === 1);
  assert.equal(await killed.end('SIGKILL'), 'SIGKILL');
  assert.equal((await readKsm())['run'], '1');

  await using next = await scene.startDaemon(ALWAYS);
  await next.line(
    /ended without restoring the host's settings; before it the host had (use_zero_pages 0, )?pages_to_scan 123/,
  );
  await next.line(/^start: /);
  assert.equal(await next.end(), 0, next.output);
  const after = await readKsm();
  assert.deepEqual([after['run'], after['pages_to_scan'], after['sleep_millisecs']], ['0', '123', '45']);
  assert.equal(scene.hasLedger, false);
});

test('without root samepaged makes a dry run, says why and writes nothing', async () => {
  await using scene = await Scene.open();
  const before = await readKsm();
  await using daemon = await scene.startDaemon(ALWAYS, NOBODY);
  await daemon.line(/a dry run, .*cannot be written, this is not root/);
  await daemon.line(
    /^start: .*\[would set (use_zero_pages 0 -> 1, )?pages_to_scan 100 -> 300, sleep_millisecs 20 -> 10, run 0 -> 1\]/,
  );
  assert.equal(await daemon.end(), 0, daemon.output);
  assert.deepEqual(await readKsm(), before);
});

test('samepaged runs on a machine without a bus, libvirt or a guest', async () => {
  await using daemon = DaemonProcess.start(['--dry-run', '--bus', 'unix:path=/nonexistent/bus']);
  await daemon.line(/no D-Bus at unix:path=\/nonexistent\/bus: .*: tuning goes on/);
  await daemon.line(/libvirt cannot be asked without D-Bus: guests are found in \/proc/);
  assert.equal(await daemon.end(), 0, daemon.output);
});
