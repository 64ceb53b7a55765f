import type { MemoryFigures } from '../core/memory.js';
import { MalformedError, type Root, parseWhole, readText, readTextIfThere } from './sysfs.js';

/**
 * The host's memory from /proc/meminfo, and ZFS's ARC where there is one.
 *
 * @throws MalformedError
 */
export function readMemoryFigures(root: Root): MemoryFigures {
  const path = `${root}/proc/meminfo`;
  const text = readText(path);
  const bytes = (field: string) => fieldBytes(text, field, path);
  const required = (field: string) => {
    const value = bytes(field);
    if (value === undefined) throw new MalformedError(path, `a line "${field}: NUMBER kB"`, text);
    return value;
  };
  const memTotalBytes = required('MemTotal');
  if (memTotalBytes <= 0) throw new MalformedError(path, 'MemTotal above 0', '0 kB');
  const memAvailableBytes = bytes('MemAvailable');
  return {
    memTotalBytes,
    memFreeBytes: required('MemFree'),
    ...(memAvailableBytes === undefined ? {} : { memAvailableBytes }),
    buffersBytes: required('Buffers'),
    cachedBytes: required('Cached'),
    shmemBytes: bytes('Shmem') ?? 0,
    swapTotalBytes: bytes('SwapTotal') ?? 0,
    swapFreeBytes: bytes('SwapFree') ?? 0,
    hugetlbBytes: bytes('Hugetlb') ?? defaultPoolBytes(text, path),
    reclaimableArcBytes: reclaimableArcBytes(root),
  };
}

/** The "kB" of /proc/meminfo are units of 1024 bytes. */
function fieldBytes(text: string, field: string, path: string): number | undefined {
  const found = new RegExp(`^${field}:(.*)$`, 'm').exec(text)?.[1];
  if (found === undefined) return undefined;
  const number = found.trim().replace(/ kB$/, '');
  const value = parseWhole(number, `${path}: ${field}`);
  if (value < 0) throw new MalformedError(`${path}: ${field}`, 'a number of 0 or more', number);
  return value * 1024;
}

/** Before Linux 4.17 there is no line Hugetlb; then only the pool of the default size is known. */
function defaultPoolBytes(text: string, path: string): number {
  const pages = /^HugePages_Total:\s*(\d+)$/m.exec(text)?.[1] ?? '0';
  return Number(pages) * (fieldBytes(text, 'Hugepagesize', path) ?? 0);
}

/** size - c_min of /proc/spl/kstat/zfs/arcstats: what the ARC gives back under pressure. */
function reclaimableArcBytes(root: Root): number {
  const path = `${root}/proc/spl/kstat/zfs/arcstats`;
  const text = readTextIfThere(path);
  if (text === undefined) return 0;
  const value = (name: string) => {
    const found = new RegExp(String.raw`^${name}\s+\d+\s+(\d+)$`, 'm').exec(text)?.[1];
    if (found === undefined) throw new MalformedError(path, `a line "${name} TYPE NUMBER"`, text);
    return parseWhole(found, path);
  };
  return Math.max(value('size') - value('c_min'), 0);
}
