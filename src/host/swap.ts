import { MalformedError, type Root, parseWhole, readTextIfThere } from './sysfs.js';

export interface SwapArea {
  readonly path: string;
  readonly sizeBytes: number;
  readonly usedBytes: number;
  /** Compressed memory (zram) and no disk: what goes there still takes memory. */
  readonly inMemory: boolean;
}

/**
 * The swap areas of /proc/swaps, whose sizes are in units of 1024 bytes; none on a kernel without swap.
 *
 * @throws MalformedError
 */
export function readSwapAreas(root: Root): readonly SwapArea[] {
  const file = `${root}/proc/swaps`;
  const lines = readTextIfThere(file)?.split('\n').slice(1) ?? [];
  return lines.map((line) => {
    const [path, , size, used] = line.trim().split(/\s+/);
    if (path === undefined || size === undefined || used === undefined) {
      throw new MalformedError(file, '"PATH TYPE SIZE USED PRIORITY"', line);
    }
    return {
      path,
      sizeBytes: parseWhole(size, file) * 1024,
      usedBytes: parseWhole(used, file) * 1024,
      inMemory: /^\/dev\/zram\d+$/.test(path),
    };
  });
}
