const MIB = 1024 ** 2;

/** A command line may have names of 128 KiB; libvirt's are not longer than those of files. */
export const LONGEST_NAME = 255;

/** Sizes of a hypervisor's command line: "2048" (MiB), "2097152k", "1.5G". 0 for what is none. */
export function memoryBytes(size: string): number {
  const match = /^(\d+(?:\.\d+)?)([bkmgt]?)$/i.exec(size);
  if (match === null) return 0;
  const unit = { b: 1, k: 1024, m: MIB, g: 1024 ** 3, t: 1024 ** 4 }[(match[2] ?? '').toLowerCase()] ?? MIB;
  return Math.trunc(Number(match[1]) * unit);
}
