import { Variant } from 'dbus-next';
import type { Guest } from '../core/guest.js';

/**
 * A guest from what GetAllDomainStats says of it. libvirt counts in kB of 1024 bytes. The built-in test driver tells
 * nothing but the name.
 *
 *     ('web', {'balloon.current': <<uint64 1048576>>, 'balloon.maximum': <<uint64 1048576>>, 'balloon.rss': <<uint64 612340>>})
 */
export function guestOfStats(name: string, stats: Readonly<Record<string, unknown>>): Guest {
  return {
    name,
    residentBytes: kilobytes(stats['balloon.rss']) * 1024,
    configuredBytes: kilobytes(stats['balloon.maximum']) * 1024,
  };
}

/** A number inside one Variant or, as libvirt-dbus sends it, two; 64-bit numbers are BigInt. 0 when it is absent. */
function kilobytes(value: unknown): number {
  if (value instanceof Variant) return kilobytes(value.value);
  return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : 0;
}

/** /org/libvirt/QEMU/domain/_6695eb01_f6a4_8304_79aa_97f2502e193f names the domain by its UUID. */
export function uuidOfPath(path: string): string | undefined {
  const uuid = /\/domain\/_([0-9a-f_]{36})$/.exec(path)?.[1];
  return uuid?.replaceAll('_', '-');
}
