import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentHost, decision, ended, retune, warnings } from '../../support/agentHost.js';
import { BusAt } from '../../support/dbus/busAt.js';
import { eventually } from '../../support/daemon.js';
import { LibvirtStandIn } from '../../support/dbus/libvirtStandIn.js';
import { ManagerClient, published } from '../../support/dbus/managerClient.js';

describe('the bus away', { concurrency: true }, () => {
  it('when the bus is killed, tuning goes on, and samepaged joins it again when it is back', async () => {
    await using host = await AgentHost.create();
    const before = host.ksmFiles();
    const socket = `${host.tree.root}/bus`;
    await using first = await BusAt.start(socket);
    const daemon = await host.started();
    await first[Symbol.asyncDispose]();
    await daemon.line(
      /^(the bus closed the connection|the connection to the bus failed: .*ECONNRESET): tuning goes on/,
    );
    host.memoryIsShort();
    await retune(daemon);
    assert.equal(host.pace, '1 300 10');

    rmSync(socket, { force: true });
    await using second = await BusAt.start(socket);
    const client = await second.connect();
    await published(client);
    const manager = await ManagerClient.on(client);
    const { PagesToScan } = await manager.properties();
    assert.equal(PagesToScan, 300);
    assert.equal((await manager.retune())['Reason'], 'free-below-reserve');
    await eventually(() => manager.retuned.length === 1);
    client.disconnect();
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
    assert.deepEqual(daemon.other, []);
  });

  it('a bus that stalls does not keep samepaged from tuning; calls are answered when the bus goes on', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const before = host.ksmFiles();
    const daemon = await host.started();
    const manager = await host.manager();
    assert.equal((await manager.properties())['PagesToScan'], 100);
    host.bus.signalBus('SIGSTOP');
    const waiting = manager.properties();
    host.memoryIsShort();
    await retune(daemon);
    assert.equal(host.pace, '1 300 10');
    await retune(daemon);
    assert.equal(host.pace, '1 600 10');
    host.bus.signalBus('SIGCONT');
    assert.equal((await waiting)['PagesToScan'], 600);
    assert.equal((await manager.retune())['Reason'], 'free-below-reserve');
    assert.deepEqual(warnings(daemon), []);
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('when the bus is killed during a retune, at one moment or another, tuning goes on', async () => {
    await Promise.all(
      [0, 2].map(async (millis) => {
        await using host = await AgentHost.create({ bus: { libvirt: 'test' } });
        const before = host.ksmFiles();
        const daemon = await host.started({ libvirt: '/org/libvirt/Test' });
        host.memoryIsShort();
        daemon.child.kill('SIGUSR1');
        await sleep(millis);
        await host.bus.killBus();
        await daemon.line(/tuning goes on/);
        await retune(daemon);
        assert.equal(host.tree.ksm('run'), '1');
        assert.equal(await daemon.end(), 0, daemon.output);
        assert.deepEqual(host.ksmFiles(), before);
      }),
    );
  });

  it('when the bus accepts and never answers, samepaged tunes', async () => {
    await using host = await AgentHost.create();
    const silent = createServer(() => undefined);
    await once(silent.listen(`${host.tree.root}/bus`), 'listening');
    host.memoryIsShort();
    const daemon = host.start();
    await host.paceIs('1 300 10');
    assert.equal(await daemon.end(), 0);
    silent.close();
  });

  it('without a bus samepaged tunes, and logs once that there is none', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const daemon = await host.started({ libvirt: '/org/libvirt/Test' });
    await host.paceIs('1 300 10');
    const { msg } = await daemon.line(/^no D-Bus at .*tuning goes on/);
    assert.match(msg, /^no D-Bus at unix:path=.*: tuning goes on.* SIGUSR1/);
    assert.match((await retune(daemon)).msg, /^asked for by SIGUSR1/);
    await sleep(10_500);
    assert.equal(warnings(daemon).filter((text) => text.includes('tuning goes on')).length, 1, daemon.output);
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });

  it('samepaged joins a bus that appears later, and finds libvirt on it', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const daemon = await host.started({ libvirt: '/org/libvirt/Test' });
    await host.paceIs('1 300 10');

    await using bus = await BusAt.start(`${host.tree.root}/bus`);
    const client = await bus.connect();
    using standIn = await LibvirtStandIn.start(bus.address, host.tree);
    standIn.guests.set('web', 1000);
    await published(client);
    await daemon.line(/^libvirt is connected/);
    const manager = await ManagerClient.on(client);
    const { Reason, GuestCount } = await manager.retune();
    assert.deepEqual({ Reason, GuestCount }, { Reason: 'free-below-reserve', GuestCount: 1 });
    const { PagesToScan, LibvirtConnected } = await manager.properties();
    assert.equal(PagesToScan, Number(host.tree.ksm('pages_to_scan')));
    assert.equal(LibvirtConnected, true);
    client.disconnect();
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });

  it('a bus address that is none is reported, and samepaged tunes', async () => {
    for (const address of ['nonsense:a=b', 'tcp:host=127.0.0.1,port=1', 'unix:path=/dev/null']) {
      await using host = await AgentHost.create();
      host.memoryIsShort();
      const daemon = host.start({ args: ['--bus', address] });
      await daemon.line(/^no D-Bus at /);
      await host.paceIs('1 300 10');
      assert.equal(await daemon.end(), 0);
      assert.equal(host.pace, '0 100 20');
    }
  });

  it('a bus whose policy forbids the name is reported, and samepaged tunes', async () => {
    await using host = await AgentHost.create();
    await using bus = await BusAt.start(`${host.tree.root}/bus`, { forbidden: ['org.samepaged1'] });
    assert.equal(bus.address, host.address);
    host.memoryIsShort();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    const { level, msg } = await daemon.line(/does not let us have the name org\.samepaged1/);
    assert.equal(level, 'warn');
    assert.match(msg, /its policy must allow it: tuning goes on.* SIGUSR1/);
    await retune(daemon);
    await host.paceIs('1 600 10');
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });
});

describe('another tuner', { concurrency: true }, () => {
  it('a second samepaged on the bus is refused with the pid, exit 75', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const first = await host.started();
    await using other = await AgentHost.create();
    other.memoryIsShort();
    const before = other.ksmFiles();
    const second = other.start({ args: ['--bus', host.address] });
    assert.equal(await ended(second), 75);
    assert.equal(second.other.length, 1, second.output);
    const refusal = `another samepaged, pid ${String(first.pid)}, has the name org.samepaged1 on ${host.address}`;
    assert.ok(second.other[0]?.includes(refusal), second.output);
    assert.deepEqual(other.ksmFiles(), before);
    await retune(first);
  });

  it('a second samepaged on the same host does not undo what the first one set', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.memoryIsShort();
    const before = host.ksmFiles();
    const first = await host.started();
    await host.paceIs('1 300 10');
    assert.equal(await ended(host.start()), 75);
    assert.equal(host.pace, '1 300 10');
    assert.equal(host.tree.read('var/run/ksmtune.pid'), String(first.pid));
    assert.equal(await first.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('a dry run beside another samepaged is allowed, and says so', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const first = await host.started();
    const second = host.start({ args: ['--dry-run'] });
    await second.line(/another samepaged, pid \d+, has the name/);
    await decision(second, 1);
    assert.equal(await second.end(), 0);
    await retune(first);
  });

  it('beside a running ksmtuned samepaged ends with its pid, exit 75', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.tree.addProcess({ pid: 4711, argv: ['/usr/bin/bash', '/usr/sbin/ksmtuned'], comm: 'bash', residentKb: 1000 });
    host.memoryIsShort();
    const before = host.ksmFiles();
    const daemon = host.start();
    assert.equal(await ended(daemon), 75);
    assert.match(
      daemon.other.join('\n'),
      /^samepaged: ksmtuned is running, pid 4711, .*systemctl disable --now ksmtuned$/,
    );
    assert.deepEqual(host.ksmFiles(), before);

    // Where the unit of that name is samepaged's own, to disable it would disable samepaged.
    const units = join(host.tree.root, 'etc/systemd/system');
    mkdirSync(units, { recursive: true });
    symlinkSync('/usr/lib/systemd/system/samepaged.service', join(units, 'ksmtuned.service'));
    const again = host.start();
    assert.equal(await ended(again), 75);
    assert.match(
      again.other.join('\n'),
      /stop it first: kill 4711, and remove what starts it; ksmtuned\.service is samepaged's own name here$/,
    );
  });

  it('an editor that has ksmtuned open is taken for no tuner', async () => {
    await using host = await AgentHost.create();
    host.tree.addProcess({ pid: 4711, argv: ['vim', '/usr/sbin/ksmtuned'], comm: 'vim', residentKb: 1000 });
    host.tree.addProcess({ pid: 4712, argv: ['bash', '-c', 'cat ksmtuned'], comm: 'bash', residentKb: 1000 });
    assert.equal(await (await host.started()).end(), 0);
  });
});
