// Cases of the tests of libvirt, QEMU and KubeVirt, on a copy of a kernel's files.
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { AgentHost, reload, retune, warnings } from '../../support/agentHost.js';
import { runCtl } from '../../support/daemon.js';
import { LibvirtStandIn } from '../../support/dbus/libvirtStandIn.js';

/** The tree's memory, and what ksmtuned keeps free of it by default. */
const TOTAL_KB = 16_777_216;
const RESERVE_KB = TOTAL_KB / 5;

describe('tp-libvirt node_memtune: values that virsh sets are told once, set again, and not what the end restores', () => {
  for (const way of ['sysfs', 'libvirt'] as const) {
    it(`tp-libvirt node_memtune: values set by virsh are set again with samepaged's set through ${way}`, async () => {
      await using host = await AgentHost.create({ bus: {} });
      using libvirt = await LibvirtStandIn.start(host.address, host.tree);
      libvirt.behaviour.NodeSetMemoryParameters = way === 'libvirt' ? 'answer' : 'error';
      host.memoryIsShort();
      const before = host.ksmFiles();
      const daemon = await host.started({ libvirt: '/org/libvirt/Test' });
      await host.paceIs('1 300 10');
      if (way === 'libvirt') {
        assert.deepEqual(libvirt.parameters, [{ shm_pages_to_scan: 300, shm_sleep_millisecs: 10 }], 'in one call');
      }
      for (const [file, value] of Object.entries({ pages_to_scan: 60, sleep_millisecs: 120 })) {
        host.tree.setKsm(file, value);
      }
      await retune(daemon);
      await host.paceIs('1 600 10');
      await retune(daemon);
      const told = warnings(daemon).filter((text) => text.includes('had set it to'));
      assert.equal(told.length, 1, told.join('\n'));
      assert.match(told[0] ?? '', /^pages_to_scan is 60 .*sleep_millisecs is 120/);
      assert.equal(await daemon.end(), 0);
      assert.deepEqual(host.ksmFiles(), before);
    });
  }
});

describe('tp-qemu', () => {
  it('tp-qemu ksm_services: what is not managed stays at default + 10, and at the end all is given back', async () => {
    await using host = await AgentHost.create({ config: { KSM_USE_ZERO_PAGES: 'keep' } });
    const names = Object.keys(host.ksmFiles()).filter((name) =>
      /^(pages_to_scan|sleep_|max_page|stable_.*prune|advisor_m)/.test(name),
    );
    const numbers = names.filter((name) => name !== 'advisor_mode');
    assert.ok(numbers.length >= 6, numbers.join(' '));
    for (const name of numbers) host.tree.setKsm(name, Number(host.tree.ksm(name)) + 10);
    host.tree.setKsm('run', 1);
    host.memoryIsShort();
    const before = host.ksmFiles();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    const { pages_to_scan: pages, sleep_millisecs: sleep } = before;
    assert.deepEqual({ ...host.ksmFiles(), pages_to_scan: pages, sleep_millisecs: sleep }, before);
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
  });

  it("tp-qemu ksm_ksmtuned: a guest of half of what is free rests; KSM_THRES_COEF=60 at the file's end merges", async () => {
    await using host = await AgentHost.create({ config: { KSM_THRES_COEF: 20 } });
    const freeKb = 11_000_000;
    const small = Math.trunc(((freeKb - RESERVE_KB) / 2) * 0.95);
    host.tree.addGuest(101, 'small', small, 4096);
    host.tree.setMeminfo({ MemFree: freeKb - small - 1_990_000 });
    const first = await host.started();
    assert.equal(host.tree.ksm('run'), '0');
    assert.equal(await first.end(), 0);

    host.tree.removeProcess(101);
    // As the test does it: the key for the second time, and no newline at the end.
    appendFileSync(host.configFile, 'KSM_THRES_COEF=60');
    const large = Math.trunc((TOTAL_KB - (TOTAL_KB * 0.6) / 2) * 0.95);
    host.tree.addGuest(102, 'large', large, 12_288);
    host.tree.setMeminfo({ MemFree: 300_000 });
    await host.started();
    await host.paceIs('1 300 10');
  });

  it('tp-qemu ksm_ksmtuned: a key appended to a last line without its newline is an error with its line', async () => {
    await using host = await AgentHost.create();
    host.tree.write('etc/ksmtuned.conf', '# DEBUG=1\nKSM_THRES_COEF=20');
    appendFileSync(host.configFile, 'KSM_THRES_COEF=60');
    const daemon = host.start();
    assert.equal(await daemon.end('SIGCONT'), 78);
    assert.match(
      daemon.output,
      /ksmtuned\.conf:2: KSM_THRES_COEF=20KSM_THRES_COEF=60: expected a whole number of percent/,
    );
  });
});

describe('KubeVirt', () => {
  it('KubeVirt: KSM_THRES_COEF=100 by a reload merges at once, and back rests at once', async () => {
    await using host = await AgentHost.create();
    host.memoryIsEnough();
    const daemon = await host.started();
    assert.equal(host.tree.ksm('run'), '0');
    host.configure({ KSM_THRES_COEF: 100 });
    await reload(daemon);
    await host.paceIs('1 300 10');
    host.configure({});
    await reload(daemon);
    await host.paceIs('0 300 10');
  });

  it("KubeVirt: somebody else's run=1 is never shown as samepaged's: status says so as long as it lasts", async () => {
    await using host = await AgentHost.create({ config: { KSM_ON_CONFLICT: 'yield' }, bus: {} });
    host.memoryIsEnough();
    const daemon = await host.started();
    host.tree.setKsm('run', 1);
    for (let turn = 0; turn < 2; turn += 1) {
      await retune(daemon);
      const { stdout } = await runCtl(['--bus', host.address, 'status']);
      assert.match(stdout, /^ {2}warning +run is 1 but samepaged had set it to 0: something else changed it;$/m);
    }
  });
});
