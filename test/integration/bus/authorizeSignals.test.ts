import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Message } from 'dbus-next';
import { Bus } from '../../../src/dbus/bus.js';
import { call } from '../../support/dbus/busClient.js';
import { eventually } from '../../support/daemon.js';
import { PrivateBus } from '../../support/dbus/privateBus.js';

const LIBVIRT = { sender: 'org.libvirt', interface: 'org.libvirt.Connect', member: 'DomainEvent' };
const DBUS = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
};
const PATH = '/org/libvirt/QEMU';

describe('signals', () => {
  it('signals of the bus are heard from their sender only, and a method call is none', async () => {
    await using bus = await PrivateBus.start();
    const libvirt = await bus.connect();
    await libvirt.requestName('org.libvirt', 0);
    const stranger = await bus.connect();
    const ours = await Bus.connect(bus.address);
    try {
      assert.equal(await ours.requestName('org.samepaged1'), undefined);
      const heard: unknown[] = [];
      ours.signal$(LIBVIRT).subscribe({
        next: ({ body }) => heard.push(body[0]),
        error: (error: unknown) => heard.push(error),
      });
      // The bus has the match when it has answered what came after it.
      await ours.call({ ...DBUS, member: 'GetId' });

      const forged = { path: PATH, interface: LIBVIRT.interface, member: LIBVIRT.member };
      const target = { ...forged, destination: 'org.samepaged1', signature: 's' };
      await assert.rejects(call(stranger, { ...target, body: ['a call'] }));
      const unicast = Message.newSignal(PATH, LIBVIRT.interface, LIBVIRT.member, 's', ['a signal to us']);
      unicast.destination = 'org.samepaged1';
      stranger.send(unicast);
      stranger.send(Message.newSignal(PATH, LIBVIRT.interface, LIBVIRT.member, 's', ['a signal to all']));
      // The bus has passed on the stranger's signals when it has answered the stranger's call.
      await call(stranger, { ...DBUS, member: 'GetId' });
      libvirt.send(Message.newSignal(PATH, LIBVIRT.interface, LIBVIRT.member, 's', ['of libvirt']));
      await eventually(() => heard.includes('of libvirt'));
      assert.deepEqual(heard, ['of libvirt']);
    } finally {
      ours.close();
    }
  });
});
