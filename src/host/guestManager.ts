import type { GuestManager } from '../core/guestManager.js';
import type { FoundGuest } from './guestScan.js';
import { CLOUD_HYPERVISOR } from './otherHypervisors.js';
import { QEMU } from './qemu.js';
import { propertiesOf } from './qemuOptions.js';

/** Where a user's own libvirt keeps its guests' files, of which some are named on the command line. */
const SESSION_FILE = /\/\.(config|cache|local\/share)\/libvirt\//;

/** Who started a guest, by its command line: libvirt writes `-name guest=NAME`, Proxmox VE `-id NUMBER`. */
export function managerOf({ hypervisor, argv, description }: Omit<FoundGuest, 'pid' | 'startTime'>): GuestManager {
  if (hypervisor === CLOUD_HYPERVISOR) return 'cloud-hypervisor';
  if (hypervisor !== QEMU) return 'other';
  if (description.vmId !== undefined) return 'proxmox';
  if (argv.some((word) => SESSION_FILE.test(word))) return 'session';
  return propertiesOf(argv, '', 'name').some((name) => name.has('guest')) ? 'libvirt' : 'qemu';
}
