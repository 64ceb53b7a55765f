import { valueOf } from './check.js';
import type { Facts } from './facts.js';

/** Whether libvirt runs here, or would when it is asked. */
export function libvirtIsHere({
  libvirtDaemons,
  libvirtSocket,
}: Pick<Facts, 'libvirtDaemons' | 'libvirtSocket'>): boolean {
  return (valueOf(libvirtDaemons)?.length ?? 0) > 0 || valueOf(libvirtSocket) === true;
}

/** Guests go on without the libvirt that started them. */
export function hasLibvirtGuest(guests: Facts['guests']): boolean {
  return valueOf(guests)?.some(({ manager }) => manager === 'libvirt') === true;
}
