import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CACHE, DEBIAN_MIRROR } from '../cache.js';

const execFileAsync = promisify(execFile);

const SOURCE = `deb ${DEBIAN_MIRROR} trixie main`;
const PACKAGES = [
  'systemd,systemd-sysv,dbus,polkitd',
  'libvirt-daemon-system,libvirt-clients,libvirt-dbus,qemu-system-x86',
  'nodejs',
  'man-db',
  // ksmtuned 4.20180327 needs it.
  'procps',
];
/** In the image, not installed: Debian 13's (4.20150326), and the next Debian's (4.20180327 and newer). */
export const KSMTUNED_PACKAGE = '/opt/ksmtuned.deb';
export const NEW_KSMTUNED_PACKAGE = '/opt/ksmtuned-new.deb';
/** Of the group libvirt, with a home directory. */
export const LIBVIRT_MEMBER = 'member';
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
];
const ARGS = [
  '--variant=minbase',
  `--include=${PACKAGES.join(',')}`,
  ...HOOKS.map((hook) => `--customize-hook=${hook}`),
];

/**
 * The root directory of a Debian 13 with libvirt and QEMU, not to be written to. Made with mmdebstrap from Debian's
 * mirror, and kept until what is in it changes; a change removes the earlier one. Needs root.
 */
export async function machineImage(): Promise<string> {
  const key = createHash('sha256')
    .update([...ARGS, SOURCE].join('\n'))
    .digest('hex')
    .slice(0, 16);
  const directory = join(CACHE, `trixie-${key}`);
  const isKept = await access(directory).then(
    () => true,
    () => false,
  );
  if (isKept) return directory;
  await mkdir(CACHE, { recursive: true });
  const earlier = (await readdir(CACHE)).filter((name) => name.startsWith('trixie-'));
  for (const name of earlier) await rm(join(CACHE, name), { recursive: true });
  const making = `${directory}.making`;
  try {
    await execFileAsync('mmdebstrap', ['--quiet', ...ARGS, 'trixie', making, SOURCE]);
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const why = stderr.trim().split('\n').at(-1) ?? String(error);
    throw new Error(`no Debian 13 from mmdebstrap: ${why}`, { cause: error });
  }
  await rename(making, directory);
  return directory;
}
