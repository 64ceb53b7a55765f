import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A group of tests with what it needs of the machine. */
export interface Layer {
  readonly name: string;
  /** Whether its files may run side by side; those that touch the kernel's KSM may not. */
  readonly parallel: boolean;
  /** Whether its files may share a process: they leave nothing behind in it. */
  readonly sharesProcess?: boolean;
  /** It may run beside another with what CPU time that leaves: its tests wait as long as that takes. */
  readonly runsBeside?: boolean;
  /** Its tests wait most of the time, and no figure of this machine's memory matters to them. */
  readonly leavesTime?: boolean;
  /** Commands that its tests start, with the Debian package that brings each. */
  readonly commands: Readonly<Record<string, string>>;
  /** And root. */
  readonly needsKsm: boolean;
  /** Takes too long for every run: it runs when it is named. */
  readonly byName?: boolean;
}

/** The kernels of another architecture, which run when they are named. */
const FOREIGN_KERNELS = {
  'qemu-system-aarch64': 'qemu-system-arm',
  'aarch64-linux-gnu-gcc': 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross',
};

/** A libvirtd with guests. */
const LIBVIRT = {
  'dbus-daemon': 'dbus-daemon',
  'libvirt-dbus': 'libvirt-dbus',
  libvirtd: 'libvirt-daemon-system',
  virsh: 'libvirt-clients',
  'qemu-system-x86_64': 'qemu-system-x86',
  gcc: 'gcc libc6-dev',
  unshare: 'util-linux',
  mount: 'mount',
};

export const LAYERS: readonly Layer[] = [
  { name: 'unit', parallel: true, sharesProcess: true, runsBeside: true, commands: {}, needsKsm: false },
  { name: 'properties', parallel: true, runsBeside: true, commands: {}, needsKsm: false },
  {
    name: 'faults',
    parallel: true,
    runsBeside: true,
    commands: { 'dbus-daemon': 'dbus-daemon', unshare: 'util-linux', mount: 'mount' },
    needsKsm: false,
  },
  {
    name: 'integration',
    parallel: true,
    commands: {
      'dbus-daemon': 'dbus-daemon',
      'libvirt-dbus': 'libvirt-dbus',
      mawk: 'mawk',
      zsh: 'zsh',
      fish: 'fish',
      tmux: 'tmux',
      'systemd-notify': 'systemd',
      'systemd-analyze': 'systemd',
      perl: 'perl-base',
      shellcheck: 'shellcheck',
      systemctl: 'systemd',
      pkcheck: 'polkitd',
      man: 'man-db',
      groff: 'groff-base',
      mount: 'mount',
      prometheus: 'prometheus',
      promtool: 'prometheus',
      'systemd-socket-activate': 'systemd',
      appstreamcli: 'appstream',
    },
    needsKsm: false,
  },
  {
    name: 'examples',
    byName: true,
    parallel: true,
    commands: { 'dbus-daemon': 'dbus-daemon', 'libvirt-dbus': 'libvirt-dbus' },
    needsKsm: false,
  },
  {
    name: 'kernels',
    parallel: false,
    commands: {
      'qemu-system-x86_64': 'qemu-system-x86',
      gcc: 'gcc libc6-dev',
      'apt-get': 'apt',
      'dpkg-deb': 'dpkg',
      chrt: 'util-linux',
      ...(process.env['SAMEPAGED_KERNELS'] === undefined ? {} : FOREIGN_KERNELS),
    },
    needsKsm: false,
  },
  {
    name: 'system',
    parallel: false,
    commands: LIBVIRT,
    needsKsm: true,
  },
  {
    name: 'overcommit',
    byName: true,
    parallel: false,
    commands: { ...LIBVIRT, mkswap: 'util-linux', swapon: 'mount' },
    needsKsm: true,
  },
  {
    name: 'deploy',
    parallel: false,
    commands: {
      mmdebstrap: 'mmdebstrap',
      'systemd-nspawn': 'systemd-container',
      lintian: 'lintian',
      unshare: 'util-linux',
      mount: 'mount',
    },
    needsKsm: true,
    leavesTime: true,
  },
  {
    name: 'nodes',
    byName: true,
    parallel: false,
    commands: {
      mmdebstrap: 'mmdebstrap',
      'systemd-nspawn': 'systemd-container',
      unshare: 'util-linux',
      mount: 'mount',
    },
    needsKsm: true,
  },
  {
    name: 'fleets',
    byName: true,
    parallel: false,
    commands: {
      mmdebstrap: 'mmdebstrap',
      'systemd-nspawn': 'systemd-container',
      'dpkg-deb': 'dpkg',
      unshare: 'util-linux',
      mount: 'mount',
      ip: 'iproute2',
    },
    needsKsm: true,
  },
  {
    name: 'packages',
    byName: true,
    parallel: false,
    commands: {
      mmdebstrap: 'mmdebstrap',
      'systemd-nspawn': 'systemd-container',
      zstd: 'zstd',
      unshare: 'util-linux',
      mount: 'mount',
    },
    needsKsm: true,
  },
  {
    name: 'browser',
    byName: true,
    parallel: false,
    commands: {
      mmdebstrap: 'mmdebstrap',
      'systemd-nspawn': 'systemd-container',
      chromium: 'chromium fonts-noto-cjk',
      unshare: 'util-linux',
      mount: 'mount',
    },
    needsKsm: true,
  },
];

/** Debian keeps daemons where an ordinary user's PATH does not look. */
const SEARCH_PATH = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`;

export function missingPackages({ commands }: Layer): readonly string[] {
  const directories = SEARCH_PATH.split(delimiter);
  const missing = Object.entries(commands).filter(
    ([command]) => !directories.some((directory) => existsSync(join(directory, command))),
  );
  return [...new Set(missing.map(([, debianPackage]) => debianPackage))];
}

/** Why the layer's tests may not do what they must, or undefined when they may. */
export function rightsObstacle({ needsKsm }: Layer): string | undefined {
  return needsKsm ? ksmObstacle() : undefined;
}

/** Why the kernel's KSM cannot be used by tests here, or undefined when it can. */
export function ksmObstacle(): string | undefined {
  const run = '/sys/kernel/mm/ksm/run';
  if (!existsSync(run)) return 'this kernel has no KSM';
  try {
    accessSync(run, constants.W_OK);
    return process.getuid?.() === 0 ? undefined : 'root is needed to run libvirtd and to tune KSM';
  } catch {
    return `${run} cannot be written: root is needed, outside a container`;
  }
}
