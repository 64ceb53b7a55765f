import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DBusError } from 'dbus-next';
import { libvirtReason } from '../../../src/libvirt/definitions.js';

describe('why libvirt cannot be asked, on one line', () => {
  const rows: { name: string; error: unknown; reason: string }[] = [
    {
      name: 'nobody has the name',
      error: new DBusError('org.freedesktop.DBus.Error.ServiceUnknown', 'The name is not activatable'),
      reason: 'libvirt-dbus is not on the bus: install and start libvirt-dbus',
    },
    {
      name: "the bus's policy, which says much",
      error: new DBusError('org.freedesktop.DBus.Error.AccessDenied', 'Rejected send message, 1 matched rules; type=…'),
      reason: 'the bus does not let this user call libvirt-dbus: be root, or a member of the group libvirt',
    },
    {
      name: "libvirt's own rights",
      error: new DBusError('org.libvirt.Error', "access denied: 'QEMU' denied access\n"),
      reason: "access denied: 'QEMU' denied access: be root, or a member of the group libvirt",
    },
    {
      name: 'any other refusal, in its words',
      error: new DBusError('org.libvirt.Error', 'unsupported configuration:\n  no such\n  ----^\n'),
      reason: 'unsupported configuration: no such ----^',
    },
    { name: 'no answer', error: new Error('org.libvirt did not answer'), reason: 'org.libvirt did not answer' },
  ];
  for (const { name, error, reason } of rows) {
    test(`why libvirt cannot be asked is told on one line: ${name}`, () => {
      assert.equal(libvirtReason(error), reason);
    });
  }
});
