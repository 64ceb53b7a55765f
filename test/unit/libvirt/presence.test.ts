import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallTimeout } from '../../../src/dbus/call.js';
import { silenceRemedy } from '../../../src/libvirt/presence.js';

test('where libvirt-dbus does not answer at all, the remedy names it too', () => {
  const call = { destination: 'org.libvirt', path: '/org/libvirt/QEMU', interface: 'x', member: 'ListDomains' };
  assert.match(silenceRemedy(new CallTimeout(call, 5000)), /systemctl status libvirt-dbus libvirtd virtqemud$/);
  assert.match(silenceRemedy(new Error('Failed to connect socket')), /systemctl status libvirtd virtqemud$/);
});
