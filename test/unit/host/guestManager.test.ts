import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GuestManager } from '../../../src/core/guest.js';
import { managerOf } from '../../../src/host/guestManager.js';
import { hypervisorOf } from '../../../src/host/hypervisors.js';

function manager(line: string, cgroup?: string): GuestManager | undefined {
  const argv = line.split(' ');
  const hypervisor = hypervisorOf(argv, undefined);
  const description = hypervisor?.describe(argv, 1);
  return hypervisor && description && managerOf({ hypervisor, argv, description }, cgroup);
}

describe('who started a guest', () => {
  const LIBVIRT = '/usr/libexec/qemu-kvm -name guest=default_vm1,debug-threads=on -m 1024';
  const POD = 'kubepods-burstable-pod0a1b.slice/cri-containerd-12ab.scope';
  const rows: [name: string, expected: GuestManager, line: string, cgroup?: string][] = [
    ['libvirt', 'libvirt', LIBVIRT, '/machine.slice/machine-qemu\\x2d1\\x2dvm1.scope/libvirt/emulator'],
    ['KubeVirt, by a cgroup of systemd', 'kubevirt', LIBVIRT, `/kubepods.slice/kubepods-burstable.slice/${POD}`],
    ['KubeVirt, by a cgroup of cgroupfs', 'kubevirt', LIBVIRT, '/kubepods/burstable/pod0a1b/12ab'],
    ['a user of this name is no pod', 'libvirt', LIBVIRT, '/user.slice/my-kubepods'],
    ['QEMU in a pod, without libvirt', 'qemu', 'qemu-system-x86_64 -name web -m 1024', '/kubepods/pod0a1b'],
    ['Proxmox', 'proxmox', '/usr/bin/kvm -id 104 -name vault,debug-threads=on -m 2048', '/qemu.slice/104.scope'],
  ];
  for (const [name, expected, line, cgroup] of rows) {
    test(`the manager of a guest is known: ${name}`, () => {
      assert.equal(manager(line, cgroup), expected);
    });
  }
});
