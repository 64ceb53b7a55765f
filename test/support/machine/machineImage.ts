import { DEBIAN_MIRROR } from '../cache.js';
import { debianImage } from './debianImage.js';

const PACKAGES = [
  'systemd,systemd-sysv,dbus,polkitd',
  'libvirt-daemon-system,libvirt-clients,libvirt-dbus,qemu-system-x86',
  'nodejs',
  'man-db',
  'cockpit-ws,cockpit-bridge,cockpit-system,sudo',
  // ksmtuned 4.20180327 needs it.
  'procps',
];
/** In the image, not installed: Debian 13's (4.20150326), and the next Debian's (4.20180327 and newer). */
export const KSMTUNED_PACKAGE = '/opt/ksmtuned.deb';
export const NEW_KSMTUNED_PACKAGE = '/opt/ksmtuned-new.deb';
/** Of the group libvirt, with a home directory. */
export const LIBVIRT_MEMBER = 'member';
/** Who can log in to Cockpit: one who may become root by sudo, and one who may not. */
export const ADMIN = { name: 'admin', password: 'geheim-1' } as const;
export const VIEWER = { name: 'viewer', password: 'geheim-2' } as const;
/** Where the machine's Cockpit answers, in the machine's own network. */
export const COCKPIT_URL = 'http://127.0.0.1:9090/';

/** A hook: ksmtuned of the newest release that apt knows. */
function download(path: string): string {
  return `chroot "$1" sh -c 'cd /opt && apt-get -o APT::Sandbox::User=root download ksmtuned && mv ksmtuned_*.deb ${path}'`;
}

const HOOKS = [
  download(KSMTUNED_PACKAGE),
  `echo 'deb ${DEBIAN_MIRROR} forky main' >"$1"/etc/apt/sources.list.d/forky.list`,
  // The mirror may be some weeks old.
  `chroot "$1" apt-get -q -o Acquire::Check-Valid-Until=false update`,
  download(NEW_KSMTUNED_PACKAGE),
  // What a package needs comes from trixie.
  `rm "$1"/etc/apt/sources.list.d/forky.list && chroot "$1" apt-get -q update`,
  // A container may neither divide its cgroups nor make device nodes.
  `printf 'cgroup_controllers = []\\nnamespaces = []\\n' >>"$1"/etc/libvirt/qemu.conf`,
  `chroot "$1" useradd --create-home --groups libvirt ${LIBVIRT_MEMBER}`,
  `chroot "$1" useradd --create-home --shell /bin/bash --groups sudo ${ADMIN.name}`,
  `chroot "$1" useradd --create-home --shell /bin/bash ${VIEWER.name}`,
  `printf '${ADMIN.name}:${ADMIN.password}\\n${VIEWER.name}:${VIEWER.password}\\n' | chroot "$1" chpasswd`,
  `printf '[WebService]\\nAllowUnencrypted=true\\n' >"$1"/etc/cockpit/cockpit.conf`,
];
/** The root directory of a Debian 13 with libvirt and QEMU, not to be written to. Needs root. */
export function machineImage(): Promise<string> {
  return debianImage({ name: 'trixie', suite: 'trixie', packages: PACKAGES, hooks: HOOKS });
}
