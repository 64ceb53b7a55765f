import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AgentHost, decisions } from '../../support/agentHost.js';
import { type DaemonProcess, eventually } from '../../support/daemon.js';
import { LibvirtStandIn } from '../../support/dbus/libvirtStandIn.js';

const libvirt = '/org/libvirt/Test';
const config = { KSM_EVENT_RECHECK: '', KSM_EVENT_SETTLE: 10 };

function resizes(daemon: DaemonProcess): string[] {
  return decisions(daemon).flatMap(({ msg }) => /^guest \S+ resized/.exec(msg) ?? []);
}

async function resizedOnce(daemon: DaemonProcess, name: string): Promise<void> {
  await daemon.line(new RegExp(`^guest ${name} resized: `));
}

describe('a guest whose memory changes (a stand-in for libvirt-dbus)', { concurrency: true }, () => {
  it('a balloon that moves in many steps is one retune, with the memory as it is then', async () => {
    await using host = await AgentHost.create({ bus: {}, config });
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    standIn.behaviour.NodeSetMemoryParameters = 'answer';
    standIn.guests.set('web', 1_000_000);
    const daemon = await host.started({ libvirt });
    for (let step = 1; step <= 50; step += 1) standIn.tellOf('web', 'BalloonChange', BigInt(step) * 1024n);
    standIn.guests.set('web', 14_000_000);
    await resizedOnce(daemon, 'web');
    await host.paceIs('1 64 10');
    assert.deepEqual(resizes(daemon), ['guest web resized']);
    standIn.tellOf('web', 'BalloonChange', 1n);
    await eventually(() => resizes(daemon).length === 2);
    assert.equal(await daemon.end(), 0);
  });

  for (const [member, alias] of [
    ['DeviceAdded', 'dimm0'],
    ['DeviceAdded', 'virtiomem0'],
    ['DeviceRemoved', 'memdimm0'],
    ['DeviceRemoved', 'ua-mine'],
  ] as const) {
    it(`${member} ${alias} of a guest is a retune`, async () => {
      await using host = await AgentHost.create({ bus: {}, config });
      using standIn = await LibvirtStandIn.start(host.address, host.tree);
      standIn.guests.set('web', 1_000_000);
      const daemon = await host.started({ libvirt });
      standIn.tellOf('web', member, alias);
      await resizedOnce(daemon, 'web');
    });
  }

  it('devices without memory, and guests that do not run, are no retune; two guests are two', async () => {
    await using host = await AgentHost.create({ bus: {}, config });
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    for (const name of ['web', 'db', 'app']) standIn.guests.set(name, 1_000_000);
    const daemon = await host.started({ libvirt });
    const manager = await host.manager();
    await eventually(async () => (await manager.properties())['LibvirtConnected'] === true);
    for (const alias of ['net1', 'virtio-disk3', 'hostdev0', 'balloon0']) standIn.tellOf('app', 'DeviceAdded', alias);
    standIn.tellOf('gone', 'BalloonChange', 1n);
    standIn.tellOf('web', 'BalloonChange', 1n);
    standIn.tellOf('db', 'DeviceAdded', 'dimm0');
    const triggers = () => manager.retuned.flatMap((retuned) => retuned['Triggers'] as string[]);
    await eventually(() => triggers().filter((text) => text.includes('resized')).length >= 2);
    assert.deepEqual(triggers().sort(), ['guest db resized', 'guest web resized']);
    assert.equal(await daemon.end(), 0);
  });
});
