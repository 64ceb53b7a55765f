import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { NowChange } from '../../src/ctl/guests/now.js';
import type { GuestsReport } from '../../src/ctl/guests/report.js';
import { forbidsMerging } from '../../src/libvirt/domainXml.js';
import { eventually, runCtl } from '../support/daemon.js';
import { readKsm } from '../support/kvm/ksm.js';
import { Scarcity } from '../support/kvm/scarcity.js';
import { Scene, untilKsm } from './scene.js';

const MIB = 1024 ** 2;
const CTL = fileURLToPath(new URL('../../src/ctl/main.js', import.meta.url));
const SIZE = { commonMiB: 100, ownMiB: 16 } as const;
const COMMON_PAGES = (SIZE.commonMiB * MIB) / 4096;

/** Where libvirtd's sockets and the guests are. */
function ctlInside({ lab }: Scene, ...words: readonly string[]): Promise<string> {
  return lab.run(process.execPath, CTL, '--bus', lab.address, ...words);
}

async function mergedOf({ lab }: Scene): Promise<ReadonlyMap<string, number>> {
  const { stdout } = await runCtl(['--json', '--bus', lab.address, 'guests']);
  const { guests } = JSON.parse(stdout) as GuestsReport;
  return new Map(guests.map(({ name, mergedBytes }) => [name, (mergedBytes ?? 0) / MIB]));
}

test('a running guest is unmerged alone and at once, and merged again; the others stay merged', async (t) => {
  await using scene = await Scene.open();
  const { lab } = scene;
  for (const name of ['sp-one', 'sp-two', 'sp-three']) await lab.startGuest({ name, ...SIZE });
  await writeFile('/sys/kernel/mm/ksm/pages_to_scan', '10000');
  await writeFile('/sys/kernel/mm/ksm/run', '1');
  await untilKsm('pages_sharing', (pages) => pages >= 2 * COMMON_PAGES);

  {
    using scarce = new Scarcity(100 * MIB);
    const refused = await ctlInside(scene, 'guests', 'forbid', '--now', 'sp-two').catch(String);
    assert.match(
      refused,
      /unmerging guest sp-two needs up to 1\d\d\.\d MiB; .*--force does/,
      `${scarce.leftBytes} left`,
    );
    assert.ok(((await mergedOf(scene)).get('sp-two') ?? 0) >= SIZE.commonMiB);
  }

  const { now, definition } = JSON.parse(
    await ctlInside(scene, '--json', 'guests', 'forbid', '--now', 'sp-two'),
  ) as NowChange;
  t.diagnostic(JSON.stringify(now));
  assert.equal(definition, undefined, 'it is transient');
  assert.equal(now?.offered, false);
  assert.ok((now.mergedBytesBefore ?? 0) >= SIZE.commonMiB * MIB && (now.mergedBytes ?? Infinity) < 20 * MIB);
  assert.match(await ctlInside(scene, 'guests'), /^sp-two .* no: taken back$/m);
  const merged = await mergedOf(scene);
  assert.ok((merged.get('sp-one') ?? 0) >= SIZE.commonMiB && (merged.get('sp-three') ?? 0) >= SIZE.commonMiB);
  await eventually(
    async () => ((await mergedOf(scene)).get('sp-two') ?? 0) < 20,
    () => 'merged again',
  );

  const allowed = await ctlInside(scene, 'guests', 'allow', '--now', 'sp-two');
  assert.match(allowed, /^guest sp-two: its 148\.0 MiB are offered to KSM\nit has no persistent definition: /);
  await eventually(
    async () => ((await mergedOf(scene)).get('sp-two') ?? 0) >= SIZE.commonMiB,
    () => 'it is not merged again',
  );
});

test('all backends of a guest follow a change, those added later too, and so does its definition', async () => {
  await using scene = await Scene.open();
  const { lab } = scene;
  const file = join(lab.bus.directory, 'numa.xml');
  const cell = (id: number) => `<cell id='${id}' cpus='${id}' memory='128' unit='MiB'/>`;
  await writeFile(
    file,
    `<domain type='qemu'><name>numa</name><maxMemory slots='2' unit='MiB'>1024</maxMemory><memory unit='MiB'>256</memory>
    <vcpu>2</vcpu><cpu><numa>${cell(0)}${cell(1)}</numa></cpu><features><acpi/></features><os><type arch='x86_64' machine='pc'>hvm</type></os>
    <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices></domain>`,
  );
  const dimm = join(lab.bus.directory, 'dimm.xml');
  await writeFile(dimm, "<memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target></memory>");
  await lab.virsh('define', file);
  await lab.virsh('start', 'numa', '--paused');
  await lab.virsh('attach-device', 'numa', dimm, '--live');
  const command = async (json: object): Promise<readonly { merge: boolean }[]> => {
    const reply = JSON.parse(await lab.virsh('qemu-monitor-command', 'numa', JSON.stringify(json))) as {
      return: never;
    };
    return reply.return;
  };
  const offers = async () => (await command({ execute: 'query-memdev' })).map(({ merge }) => merge);

  const forbidden = await ctlInside(scene, 'guests', 'forbid', '--now', 'numa');
  assert.match(forbidden, /^guest numa: .*\nfrom its next start on KSM may not merge its memory\n$/);
  assert.deepEqual(await offers(), [false, false, false]);
  assert.ok(forbidsMerging(await lab.virsh('dumpxml', '--inactive', 'numa')));
  assert.match(await ctlInside(scene, 'guests'), /^numa .* no: taken back$/m);
  await lab.virsh('attach-device', 'numa', dimm, '--live');
  assert.deepEqual(
    await command({ execute: 'qom-get', arguments: { path: '/machine', property: 'mem-merge' } }),
    false,
  );

  // The next start has mem-merge=off; it can be allowed all the same while it runs.
  await lab.destroyGuest('numa');
  await lab.virsh('start', 'numa', '--paused');
  const allowed = await ctlInside(scene, 'guests', 'allow', '--now', 'numa');
  assert.match(
    allowed,
    /^guest numa: its 256\.0 MiB are offered to KSM\nfrom its next start on KSM may merge its memory\n$/,
  );
  assert.ok(!forbidsMerging(await lab.virsh('dumpxml', '--inactive', 'numa')));
  assert.match(await ctlInside(scene, 'guests'), /^numa .* yes$/m);
});

test('a guest without libvirt is reached through the socket that its QEMU listens on', async () => {
  await using scene = await Scene.open();
  const { lab } = scene;
  const socket = join(lab.bus.directory, 'plain.qmp');
  const listens = ['-chardev', `socket,id=qmp,path=${socket},server=on,wait=off`, '-mon', 'chardev=qmp,mode=control'];
  const machine = ['-machine', 'pc', '-m', '64', '-display', 'none', '-S', '-daemonize', '-name', 'plain'];
  await lab.run('qemu-system-x86_64', ...machine, ...listens);
  const ctl = (...words: readonly string[]) => ctlInside(scene, '--libvirt', 'none', 'guests', ...words);
  assert.match(
    await ctl('forbid', '--now', 'plain'),
    /^guest plain: .*\nguest plain was started by .*: start QEMU with -machine mem-merge=off\n$/,
  );
  const { now } = JSON.parse(await ctl('--json', 'allow', '--now', 'plain')) as NowChange;
  assert.deepEqual([now?.offered, now?.memoryBytes], [true, 64 * MIB]);
  await assert.rejects(
    ctl('forbid', '--now', 'plai'),
    /no guest plai runs that can be seen from here; did you mean plain\?/,
  );
});

test('unmerge --gradually goes guest by guest, ends at what does not fit, and leaves every offer as it was', async (t) => {
  await using scene = await Scene.open();
  const { lab } = scene;
  const small = { commonMiB: 64, ownMiB: 16 };
  for (const name of ['sp-large', 'sp-larger']) await lab.startGuest({ name, commonMiB: 400, ownMiB: 16 });
  for (const name of ['sp-one', 'sp-two']) await lab.startGuest({ name, ...small });
  await using daemon = await scene.startDaemon('KSM_THRES_COEF=100\nKSM_NPAGES_MIN=20000\nKSM_NPAGES_MAX=20000');
  const pages = ((400 + 2 * small.commonMiB) * MIB) / 4096;
  await untilKsm('pages_sharing', (sharing) => sharing >= pages, daemon);
  const offers = async () => {
    const command = JSON.stringify({ execute: 'query-memdev' });
    const replies = ['sp-large', 'sp-larger', 'sp-one', 'sp-two'].map(async (name) => {
      const reply = await lab.virsh('qemu-monitor-command', name, command);
      return (JSON.parse(reply) as { return: { merge: boolean }[] }).return.every(({ merge }) => merge);
    });
    return Promise.all(replies);
  };

  {
    using scarce = new Scarcity(250 * MIB);
    const script = '"$0" "$@" 2>&1; echo "status $?"';
    const words = [process.execPath, CTL, '--bus', lab.address, 'unmerge', '--gradually'];
    const stdout = await lab.run('sh', '-c', script, ...words);
    t.diagnostic(`${scarce.leftBytes} bytes were available:\n${stdout}`);
    assert.match(stdout, /^status 1$/m);
    assert.match(stdout, /^samepagectl: libvirt marks a guest as tainted /m);
    assert.match(
      stdout,
      /^guest sp-(one|two): \d+\.\d MiB unmerged\nguest sp-(one|two): \d+\.\d MiB unmerged\n2 guests not/m,
    );
    assert.match(stdout, /unmerging guest sp-large\w* needs up to 4\d\d\.\d MiB; .*--force does it anyway/);
    assert.equal((await readKsm())['run'], '0');
    assert.deepEqual(await offers(), [true, true, true, true]);
  }

  const all = await ctlInside(scene, 'unmerge', '--gradually');
  t.diagnostic(all);
  assert.match(all, /^guest sp-large\w*: 4\d\d\.\d MiB unmerged$/m);
  const { run, pages_sharing: sharing } = await readKsm();
  assert.deepEqual([run, sharing], ['2', '0']);
  assert.deepEqual(await offers(), [true, true, true, true]);
  assert.equal((await runCtl(['--bus', lab.address, 'resume'])).status, 0);
  await untilKsm('pages_sharing', (sharingNow) => sharingNow >= pages, daemon);
  assert.equal(await daemon.end(), 0, daemon.output);
});

test('Ctrl-C ends unmerge --gradually after the guest that it is at, with every offer as it was', async (t) => {
  await using scene = await Scene.open();
  const { lab } = scene;
  const names = ['sp-one', 'sp-two', 'sp-three'];
  for (const name of names) await lab.startGuest({ name, ...SIZE });
  await using daemon = await scene.startDaemon('KSM_THRES_COEF=100\nKSM_NPAGES_MIN=20000\nKSM_NPAGES_MAX=20000');
  await untilKsm('pages_sharing', (pages) => pages >= 2 * COMMON_PAGES, daemon);

  // Said before the first guest is unmerged: the signal comes while that goes on, and is looked at after it.
  const files = join(lab.bus.directory, 'interrupted');
  const script = `"$0" "$@" >${files}.out 2>${files}.err & pid=$!
    for i in $(seq 600); do grep -q tainted ${files}.err && break; sleep 0.02; done
    kill -INT $pid; wait $pid; echo "status $?"; cat ${files}.out`;
  const interrupted = await lab.run(
    ...['sh', '-c', script, process.execPath, CTL, '--bus', lab.address, 'unmerge', '--gradually'],
  );
  t.diagnostic(interrupted);
  assert.match(interrupted, /^status 1$/m);
  assert.match(interrupted, /^guest sp-\w+: \d+\.\d MiB unmerged$/m);
  assert.match(
    interrupted,
    /^interrupted, \d guests? not unmerged: what is unmerged stays so until samepagectl resume /m,
  );
  assert.equal((await readKsm())['run'], '0');
  assert.match(await ctlInside(scene, 'guests'), /^sp-one .* yes$/m);
  assert.doesNotMatch(await ctlInside(scene, 'guests'), /taken back/);
  const merged = [...(await mergedOf(scene)).values()].filter((mebibytes) => mebibytes >= SIZE.commonMiB);
  assert.ok(merged.length >= 2, 'guests that were not reached stay merged');
  assert.equal(await daemon.end(), 0, daemon.output);
});
