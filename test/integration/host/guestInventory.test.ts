import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GuestsReport } from '../../../src/ctl/guests/report.js';
import { AgentHost, decision, decisions } from '../../support/agentHost.js';
import { runCtl } from '../../support/daemon.js';
import { LibvirtStandIn } from '../../support/dbus/libvirtStandIn.js';
import type { HostTree } from '../../support/hostTree.js';

const config = { KSM_EVENT_RECHECK: '' };

/** A guest in a container: its process is called as the guest is. */
function addWindows(tree: HostTree, pid: number): void {
  const argv = ['qemu-system-x86_64', '-enable-kvm', '-m', '4G', '-name', 'windows,process=windows'];
  tree.addProcess({ pid, argv, residentKb: 4_823_449, comm: 'windows', startTime: pid, user: 0 });
}

async function guestsOf(host: AgentHost, ...words: readonly string[]): Promise<GuestsReport> {
  const { stdout } = await runCtl(['--json', '--root', host.tree.root, '--bus', host.address, ...words, 'guests']);
  return JSON.parse(stdout) as GuestsReport;
}

/** What doctor says of a check. */
async function found(host: AgentHost, id: string, ...words: readonly string[]): Promise<string> {
  const { stdout } = await runCtl(['--json', '--root', host.tree.root, '--bus', host.address, ...words, 'doctor']);
  return (JSON.parse(stdout) as { id: string; found: string }[]).find((finding) => finding.id === id)?.found ?? '';
}

describe('guests as people have them', { concurrency: 3 }, () => {
  it('three guests of one name and process name, in containers, are three guests', async () => {
    await using host = await AgentHost.create({ config });
    host.tree.setMeminfo({ MemFree: 4_100_000 });
    for (const pid of [3001, 3002, 3003]) addWindows(host.tree, pid);
    const daemon = await host.started();
    const [first] = decisions(daemon);
    assert.equal(first?.['guests'], 3);
    assert.match(first.msg, /guests use 13\.8 GiB/);
    assert.equal(host.tree.ksm('run'), '1');
    const { guests } = await guestsOf(host);
    assert.deepEqual(guests.map(({ name }) => name).toSorted(), [
      'windows',
      'windows (pid 3002)',
      'windows (pid 3003)',
    ]);

    host.tree.removeProcess(3001);
    assert.match((await decision(daemon, 2)).msg, /^guest windows stopped: /);
    addWindows(host.tree, 3004);
    assert.match((await decision(daemon, 3)).msg, /^guest windows \(pid 3004\) started: /);
    host.tree.removeProcess(3002);
    assert.match((await decision(daemon, 4)).msg, /^guest windows \(pid 3002\) stopped: /);
  });

  it('two guests of one name promise twice as much', async () => {
    await using host = await AgentHost.create({ config: { ...config, KSM_POLICY: 'adaptive' } });
    for (const pid of [3001, 3002]) addWindows(host.tree, pid);
    const daemon = await host.started();
    assert.match(decisions(daemon)[0]?.msg ?? '', /guests may use 9\.2 GiB/);
  });

  it('on a host with a large ARC of ZFS decision, unmerge and doctor agree on what can be had', async () => {
    await using host = await AgentHost.create({ bus: {}, config });
    const gib = (count: number) => Math.round(count * 1024 ** 2);
    const memory = {
      MemTotal: gib(126),
      MemFree: gib(7.2),
      MemAvailable: gib(6.8),
      Cached: 0,
      Buffers: 0,
      SReclaimable: 0,
    };
    host.tree.setMeminfo({ ...memory, SwapFree: 0 });
    const arc = ['size 4 61203283968', 'c_min 4 4187593113', ''];
    host.tree.write('proc/spl/kstat/zfs/arcstats', arc.join('\n'));
    host.tree.setKsm('pages_shared', 1000);
    host.tree.setKsm('pages_sharing', gib(16) / 4);
    const daemon = await host.started();
    assert.match(decisions(daemon)[0]?.msg ?? '', /free 60\.\d GiB/);
    assert.match(await found(host, 'split-headroom'), /16\.0 GiB would be needed; there is 59\.9 GiB/);
    await (await host.manager()).command('Unmerge', 'b', [false]);
    assert.equal(host.tree.ksm('run'), '2');
  });

  it('guests beside libvirt count as those that it names: status, guests, doctor and the decision agree', async () => {
    await using host = await AgentHost.create({ host: 'numa', bus: {}, config: { ...config, KSM_GUEST_USERS: 'kvm' } });
    const { tree } = host;
    // The samepaged that runs there.
    tree.removeProcess(901);
    const before = (await guestsOf(host)).guests.length;
    for (const pid of [9001, 9002, 9003]) {
      const argv = ['/usr/bin/qemu-system-x86_64', '-name', `guest=box${pid},debug-threads=on`, '-m', '30G'];
      tree.addProcess({ pid, argv, residentKb: 30_000_000, user: 0 });
    }
    using libvirt = await LibvirtStandIn.start(host.address, tree);
    libvirt.guests.set('other', 1_000_000);
    const words = ['--libvirt', '/org/libvirt/Test'];
    const daemon = await host.started({ libvirt: '/org/libvirt/Test' });
    const count = before + 4;
    assert.equal(decisions(daemon)[0]?.['guests'], count);
    assert.equal(host.tree.ksm('run'), '1');
    assert.equal((await guestsOf(host, ...words)).guests.length, count);
    assert.match(await found(host, 'guests-mergeable', ...words), new RegExp(`\\b${count} guests`));
    const status = await (await host.manager()).properties();
    assert.equal(status['GuestCount'], count);
  });

  it('guests of a user session are shown, with the key that makes them count', async () => {
    await using host = await AgentHost.create({ config });
    host.tree.write('etc/passwd', 'root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n');
    const argv = ['/usr/bin/qemu-system-x86_64', '-name', 'guest=boxes,debug-threads=on', '-m', '1024'];
    host.tree.addProcess({ pid: 300, argv, residentKb: 500_000, user: 1000 });
    const daemon = await host.started();
    assert.equal(decisions(daemon)[0]?.['guests'], 0);
    const { guests, notes } = await guestsOf(host);
    assert.deepEqual(
      guests.map(({ name, stranger }) => [name, stranger]),
      [['boxes', 'ann']],
    );
    assert.match(
      notes.join(),
      /boxes does not count for decisions: it runs as ann, who is not in KSM_GUEST_USERS \(add ann to that key in \/etc\/ksmtuned\.conf/,
    );
    assert.match(await found(host, 'guests-mergeable'), /not in KSM_GUEST_USERS: boxes \(ann\)$/);
  });

  it("guests of Proxmox are forbidden by their own name, with Proxmox's remedy", async () => {
    await using host = await AgentHost.create({ config: { ...config, KSM_FORBID_GUESTS: 'vault' } });
    const argv = ['/usr/bin/kvm', '-id', '104', '-name', 'vault,debug-threads=on', '-m', '2048'];
    const daemon = await host.started();
    assert.match(await found(host, 'forbidden-guests'), /^no running guest is called "vault"$/);
    host.tree.addProcess({ pid: 3001, argv, residentKb: 2_000_000, comm: 'kvm', user: 0 });
    await daemon.line(/^guest vault \(104\) should not be merged .*; qm set 104 --allow-ksm 0, then restart it$/);
    assert.match(await found(host, 'forbidden-guests'), /^1 of 1 running guest can be merged: vault \(104\)$/);
  });

  it('guests are noticed when a process becomes one, as the script of a container does', async () => {
    await using host = await AgentHost.create({ config });
    host.tree.addProcess({ pid: 50, argv: ['/bin/bash', '/run/entry.sh'], residentKb: 1000, user: 0 });
    const daemon = await host.started();
    host.tree.addProcess({ pid: 51, argv: ['/bin/sh', '-c', 'exec qemu'], residentKb: 1000, user: 0, comm: 'sh' });
    addWindows(host.tree, 51);
    assert.match((await decision(daemon, 2)).msg, /^guest windows started: /);
  });
});
