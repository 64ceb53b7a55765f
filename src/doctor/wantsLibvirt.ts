import { valueOf } from './check.js';
import type { Facts } from './facts.js';

/** Whether somebody misses libvirt where it does not answer: it is installed or runs here, or has started a guest that runs. */
export function wantsLibvirt({ libvirtIsHere, guests }: Pick<Facts, 'libvirtIsHere' | 'guests'>): boolean {
  return valueOf(libvirtIsHere) === true || hasLibvirtGuest(guests);
}

/** Guests go on without the libvirt that started them. */
export function hasLibvirtGuest(guests: Facts['guests']): boolean {
  return valueOf(guests)?.some(({ manager }) => manager === 'libvirt') === true;
}
