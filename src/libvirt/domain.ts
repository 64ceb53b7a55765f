import { Variant } from 'dbus-next';
import type { Guest } from '../core/guest.js';

/** A guest as libvirt reports it, by its UUID: its resident memory is missing while its QEMU does not answer. */
export type ReportedGuest = Omit<Guest, 'id' | 'residentBytes'> & {
  readonly id: string;
  readonly residentBytes: number | undefined;
};

/**
 * A guest from what GetAllDomainStats says of it. libvirt counts in kB of 1024 bytes. The built-in test driver tells
 * nothing but the name.
 *
 *     ('web', {'balloon.current': <<uint64 1048576>>, 'balloon.maximum': <<uint64 1048576>>, 'balloon.rss': <<uint64 612340>>})
 */
export function guestOfStats(id: string, name: string, stats: Readonly<Record<string, unknown>>): ReportedGuest {
  const balloonBytes = bytes(stats['balloon.current']);
  return {
    id,
    name,
    residentBytes: bytes(stats['balloon.rss']),
    configuredBytes: bytes(stats['balloon.maximum']) ?? 0,
    ...(balloonBytes === undefined ? {} : { balloonBytes }),
  };
}

/** A number of kB inside one Variant or, as libvirt-dbus sends it, two; 64-bit numbers are BigInt. */
function bytes(value: unknown): number | undefined {
  if (value instanceof Variant) return bytes(value.value);
  return typeof value === 'bigint' || typeof value === 'number' ? Number(value) * 1024 : undefined;
}

/** /org/libvirt/QEMU/domain/_6695eb01_f6a4_8304_79aa_97f2502e193f names the domain by its UUID. */
export function uuidOfPath(path: string): string | undefined {
  const uuid = /\/domain\/_([0-9a-f_]{36})$/.exec(path)?.[1];
  return uuid?.replaceAll('_', '-');
}
