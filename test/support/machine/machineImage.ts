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
];
/** In the image, not installed. */
export const KSMTUNED_PACKAGE = '/opt/ksmtuned.deb';
/** Of the group libvirt, with a home directory. */
export const LIBVIRT_MEMBER = 'member';
const HOOKS = [
  `chroot "$1" sh -c 'cd /opt && apt-get -o APT::Sandbox::User=root download ksmtuned && mv ksmtuned_*.deb ksmtuned.deb'`,
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
