import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AgentHost, decision, ended, retune, warnings } from '../../support/agentHost.js';
import { type DaemonProcess, runCtl } from '../../support/daemon.js';
import { LibvirtStandIn } from '../../support/dbus/libvirtStandIn.js';

/** Puts a file there whose opening waits for ever, as the kernel's reading does for a process that is in trouble. */
function hang(host: AgentHost, path: string): void {
  host.tree.remove(path);
  execFileSync('mkfifo', [join(host.tree.root, path)]);
}

async function shortHost(bus?: object): Promise<AgentHost> {
  const host = await AgentHost.create(bus === undefined ? {} : { bus });
  host.memoryIsShort();
  return host;
}

/** Sends SIGTERM, and waits until it has ended, which it does whatever hangs. */
async function end(daemon: DaemonProcess): Promise<void> {
  assert.ok([0, 'SIGKILL'].includes((await daemon.end()) ?? ''), daemon.output);
}

describe('a read that hangs in the kernel', { concurrency: true }, () => {
  it('while command lines of shells cannot be read, samepaged starts, says which, and gives back at the end', async () => {
    await using host = await shortHost();
    const before = host.ksmFiles();
    for (const pid of [11, 12, 13, 14, 15, 16]) {
      host.tree.addProcess({ pid, argv: ['bash'], residentKb: 1 });
      hang(host, `proc/${String(pid)}/cmdline`);
    }
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    assert.match(warnings(daemon)[0] ?? '', /proc\/1\d\/cmdline does not answer within 2 s: samepaged cannot see/);
    await end(daemon);
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('a guest whose command line and ksm_stat hang is told once, the other guests count', async () => {
    await using host = await shortHost();
    const before = host.ksmFiles();
    for (const [pid, name] of [
      [21, 'well'],
      [22, 'stuck'],
      [23, 'half'],
    ] as const)
      host.tree.addGuest(pid, name, 1000);
    hang(host, 'proc/22/cmdline');
    hang(host, 'proc/23/ksm_stat');
    const daemon = await host.started();
    assert.equal((await retune(daemon))['guests'], 2);
    await host.paceIs('1 600 10');
    const told = warnings(daemon).filter((text) => text.includes('does not answer'));
    assert.equal(told.length, 2, daemon.output);
    assert.match(
      told.join('\n'),
      /22\/cmdline (still does not answer|does not answer within 2 s): if it is a guest, it is left out/,
    );
    assert.match(
      told.join('\n'),
      /what KSM does with guest half is not known \(.*23\/ksm_stat does not answer within 2 s\)/,
    );
    await end(daemon);
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('reads that hang for ever more guests do not take the threads that writes need', async () => {
    await using host = await shortHost();
    for (let pid = 31; pid < 45; pid += 1) {
      host.tree.addGuest(pid, `guest${String(pid)}`, 1000);
      hang(host, `proc/${String(pid)}/cmdline`);
    }
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    await retune(daemon);
    await host.paceIs('1 600 10');
    await end(daemon);
    assert.equal(host.pace, '0 100 20');
  });

  it('a guest’s command line that hangs does not stop samepagectl guests', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.tree.addGuest(21, 'well', 1000);
    host.tree.addGuest(22, 'stuck', 1000);
    hang(host, 'proc/22/cmdline');
    const { stdout } = await runCtl(['--bus', host.address, '--root', host.tree.root, 'guests', '--json']);
    assert.match(stdout, /"well"/);
  });
});

describe('the kernel’s files waited for by nobody', { concurrency: true }, () => {
  for (const path of ['proc/meminfo', 'sys/kernel/mm/ksm/pages_sharing', 'sys/kernel/mm/ksm/run', 'proc/vmstat']) {
    it(`${path} as a named pipe is told, and the rest is given back in time`, async () => {
      await using host = await shortHost();
      const daemon = await host.started();
      await host.paceIs('1 300 10');
      hang(host, path);
      daemon.child.kill('SIGUSR1');
      if (!path.endsWith('vmstat')) await daemon.line(/: it is a named pipe and no regular file/);
      await end(daemon);
      assert.equal(`${host.tree.ksm('pages_to_scan')} ${host.tree.ksm('sleep_millisecs')}`, '100 20');
    });
  }
});

describe('SIGTERM during a turn that hangs', { concurrency: true }, () => {
  it('SIGTERM during a turn that hangs gives back, and the turn writes nothing after that', async () => {
    await using host = await shortHost({});
    const before = host.ksmFiles();
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    const daemon = host.start({ libvirt: '/org/libvirt/Test' });
    await decision(daemon, 1);
    standIn.behaviour.GetAllDomainStats = 'silence';
    standIn.behaviour.ListDomains = 'silence';
    daemon.child.kill('SIGUSR1');
    await end(daemon);
    assert.deepEqual(host.ksmFiles(), before);
    assert.equal(await ended(daemon), 0);
  });
});
