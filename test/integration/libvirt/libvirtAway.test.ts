import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentHost, decision, decisions, warnings } from '../../support/agentHost.js';
import { eventually } from '../../support/daemon.js';
import { startTestGuest } from '../../support/dbus/testDriver.js';

const libvirt = '/org/libvirt/Test';
const config = { KSM_EVENT_RECHECK: '' };

describe('libvirt-dbus away', { concurrency: true }, () => {
  it('on a host without libvirt there is no warning, and no advice to install libvirt-dbus', async () => {
    await using host = await AgentHost.create({ bus: {}, config });
    host.tree.remove('run/libvirt');
    const daemon = await host.started({ libvirt });
    await daemon.line(/^no libvirt is seen on this host: guests are found in \/proc$/);
    assert.deepEqual(warnings(daemon), []);
  });

  it('an absent libvirt-dbus is told once with the remedy, and picked up when it comes', async () => {
    await using host = await AgentHost.create({ bus: {}, config });
    host.tree.addGuest(101, 'web', 1_000_000);
    host.tree.write('run/libvirt/virtqemud-sock', '');
    const daemon = await host.started({ libvirt });
    assert.equal(decisions(daemon)[0]?.['guests'], 1);
    const away = /^libvirt-dbus is not on the bus: guests are found in \/proc, .*; install the package libvirt-dbus/;
    await daemon.line(away);

    host.memoryIsShort();
    host.tree.addGuest(102, 'db', 1_000_000);
    assert.match((await decision(daemon, 2)).msg, /^guest db started: /);
    await host.paceIs('1 300 10');
    host.tree.removeProcess(102);
    assert.match((await decision(daemon, 3)).msg, /^guest db stopped: /);
    assert.equal(warnings(daemon).filter((text) => away.test(text)).length, 1);

    await host.bus.startLibvirtDbus();
    await daemon.line(/^libvirt is connected \(\/org\/libvirt\/Test\)$/);
    await startTestGuest(await host.bus.connect(), 'new');
    const count = () => decisions(daemon).at(-1)?.['guests'];
    await eventually(
      () => count() === 3,
      () => `not the built-in guest, the new one, and web beside libvirt:\n${daemon.output}`,
    );
  });

  it('a libvirt-dbus that is killed and started again is told at once, and events count again', async () => {
    await using host = await AgentHost.create({ bus: { libvirt: 'test' }, config });
    const manager = await host.manager();
    const client = await host.bus.connect();
    await startTestGuest(client, 'lost');
    const daemon = await host.started({ libvirt });
    assert.equal(decisions(daemon)[0]?.['guests'], 2);

    await host.bus.killLibvirtDbus();
    await daemon.line(/^libvirt-dbus is not on the bus/);
    await eventually(async () => (await manager.properties())['LibvirtConnected'] === false);

    const skip = daemon.lines.length;
    await host.bus.startLibvirtDbus();
    await daemon.line(/^libvirt is connected/, { skip });
    await eventually(async () => (await manager.properties())['LibvirtConnected'] === true);
    await eventually(async () => (await manager.properties())['GuestCount'] === 1);

    host.memoryIsShort();
    await startTestGuest(client, 'after');
    await eventually(() => decisions(daemon).some(({ msg }) => msg.includes('guest after started')));
    assert.equal(decisions(daemon).at(-1)?.['guests'], 2);
    assert.ok(host.pace.startsWith('1 '), host.pace);
  });

  it('a libvirt-dbus that is killed ten times is connected in the end, and nothing is told twice in a row', async () => {
    await using host = await AgentHost.create({ bus: { libvirt: 'test' }, config });
    const daemon = await host.started({ libvirt });
    for (let killed = 0; killed < 10; killed += 1) {
      await host.bus.killLibvirtDbus();
      await host.bus.startLibvirtDbus();
    }
    const manager = await host.manager();
    await eventually(async () => (await manager.properties())['LibvirtConnected'] === true);
    await eventually(() =>
      news(daemon.lines.map(({ msg }) => msg))
        .at(-1)
        ?.startsWith('libvirt is connected'),
    );
    const told = news(daemon.lines.map(({ msg }) => msg));
    for (const [index, text] of told.entries()) assert.notEqual(text, told[index - 1]);
    assert.equal(await daemon.end(), 0);
  });

  it('an object that libvirt-dbus does not have is said once', async () => {
    await using host = await AgentHost.create({ bus: { libvirt: 'test' }, config });
    const daemon = await host.started({ libvirt: '/org/libvirt/Nonsense' });
    const { msg } = await daemon.line(/^libvirt does not answer/);
    assert.match(msg, /guests are found in \/proc/);
    await sleep(5500);
    assert.equal(warnings(daemon).filter((text) => text.startsWith('libvirt')).length, 1, daemon.output);
  });
});

function news(messages: readonly string[]): string[] {
  return messages.filter((text) => /^libvirt(-dbus)? (is|does)/.test(text));
}
