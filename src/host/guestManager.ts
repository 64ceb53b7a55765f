import type { GuestManager } from '../core/guest.js';
import type { FoundGuest } from './guestScan.js';
import { CLOUD_HYPERVISOR } from './otherHypervisors.js';
import { QEMU } from './qemu.js';
import { propertiesOf } from './qemuOptions.js';

/** Where a user's own libvirt keeps its guests' files, of which some are named on the command line. */
const SESSION_FILE = /\/\.(config|cache|local\/share)\/libvirt\//;

/** The cgroup of a pod's processes, by systemd's and by cgroupfs' driver. */
const POD = /(^|\/)kubepods/;

/**
 * Who started a guest, by its command line and cgroup: libvirt writes `-name guest=NAME`, Proxmox VE `-id NUMBER`; KubeVirt has a
 * libvirt of its own in each pod.
 */
export function managerOf(
  { hypervisor, argv, description }: Pick<FoundGuest, 'hypervisor' | 'argv' | 'description'>,
  cgroup?: string,
): GuestManager {
  if (hypervisor === CLOUD_HYPERVISOR) return 'cloud-hypervisor';
  if (hypervisor !== QEMU) return 'other';
  if (description.vmId !== undefined) return 'proxmox';
  if (argv.some((word) => SESSION_FILE.test(word))) return 'session';
  if (!propertiesOf(argv, '', 'name').some((name) => name.has('guest'))) return 'qemu';
  return cgroup !== undefined && POD.test(cgroup) ? 'kubevirt' : 'libvirt';
}
