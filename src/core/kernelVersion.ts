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

export function isAtLeast({ major, minor }: KernelVersion, since: KernelVersion): boolean {
  return major > since.major || (major === since.major && minor >= since.minor);
}
