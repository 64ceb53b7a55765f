import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ManagedGuest, otherManagerAdvice } from '../../../src/text/guestRemedy.js';

describe('what to do where this libvirt does not have the guest', () => {
  const rows: [guest: ManagedGuest, advice: string][] = [
    [
      { name: 'vault (104)', plainName: 'vault', manager: 'proxmox', vmId: '104' },
      'guest vault (104) belongs to Proxmox VE; for its next start: qm set 104 --allow-ksm 0',
    ],
    [
      { name: 'default_vm1', manager: 'kubevirt' },
      'guest default_vm1 belongs to KubeVirt; for its next start: in its VirtualMachineInstance spec.domain.cpu.realtime',
    ],
    [
      { name: 'byhand', manager: 'qemu' },
      'guest byhand was started by a command line of QEMU; for its next start: start QEMU with -machine mem-merge=off',
    ],
    [{ name: 'fc', manager: 'other' }, 'guest fc was started by another hypervisor, which has no switch for it'],
  ];
  for (const [guest, advice] of rows) {
    test(`advice for a guest that libvirt does not have is that of ${guest.manager}`, () => {
      assert.equal(otherManagerAdvice(guest, 'forbid'), advice);
    });
  }
});
