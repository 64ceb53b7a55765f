import type { GuestChange } from '../core/guest.js';

/**
 * virDomainEventType, as far as it tells that a guest began or ended to run. 0 and 1 (defined, undefined), 2's kin
 * 3 and 4 (suspended, resumed), 6 (shutdown, followed by 5) and 7 (suspended to RAM by the guest) leave its memory as it is.
 * https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainEventType
 */
export const DOMAIN_EVENT: Readonly<Record<number, GuestChange>> = {
  2: 'started',
  5: 'stopped',
  8: 'crashed',
};

/** https://libvirt.org/html/libvirt-libvirt-domain.html#virConnectListAllDomainsFlags */
export const LIST_DOMAINS_ACTIVE = 1;

/** https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainStatsTypes */
export const DOMAIN_STATS_BALLOON = 1 << 2;

/** https://libvirt.org/html/libvirt-libvirt-domain.html#virConnectGetAllDomainStatsFlags */
export const DOMAIN_STATS_ACTIVE = 1;
/** Skips what a guest with a stuck job would make us wait for. */
export const DOMAIN_STATS_NOWAIT = 1 << 29;

/** https://libvirt.org/html/libvirt-libvirt-host.html#VIR_NODE_MEMORY_SHARED_PAGES_TO_SCAN and its neighbours */
export const NODE_MEMORY_PARAMETER = {
  pagesToScan: 'shm_pages_to_scan',
  sleepMillisecs: 'shm_sleep_millisecs',
  mergeAcrossNodes: 'shm_merge_across_nodes',
} as const;
export type NodeMemorySetting = keyof typeof NODE_MEMORY_PARAMETER;

/**
 * Aliases of memory devices in libvirt's events ("memdimm0" and "dimm0" have been seen); "ua-" begins those that an administrator chose, for whatever device.
 * https://libvirt.org/formatdomain.html#memory-devices
 */
export const MEMORY_DEVICE_ALIAS = /^(mem|dimm|nvdimm|virtiomem|virtiopmem|ua-)/;
