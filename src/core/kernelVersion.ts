/** A Linux release. */
export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
}

/** The release that a text like "6.12.117+deb13-amd64" or "6.6.87.2-microsoft-standard-WSL2" begins with. */
export function parseKernelVersion(release: string): KernelVersion | undefined {
  const [, major, minor] = /^(\d{1,3})\.(\d{1,4})(?!\d)/.exec(release) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

/** Since then a page that equals a shared one merges in its second scan and not in its first (d58a361b0350). */
const CHECKSUM_FIRST: KernelVersion = { major: 6, minor: 11 };

/** Whether a page that equals a shared one merges in its first scan; an unknown release is taken for a new one. */
export function mergesAtFirstScan(kernel: KernelVersion | undefined): boolean {
  return kernel !== undefined && !isAtLeast(kernel, CHECKSUM_FIRST);
}

export function isAtLeast({ major, minor }: KernelVersion, since: KernelVersion): boolean {
  return major > since.major || (major === since.major && minor >= since.minor);
}
