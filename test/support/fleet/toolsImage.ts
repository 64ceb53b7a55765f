import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CACHE, DEBIAN_MIRROR } from '../cache.js';

const execFileAsync = promisify(execFile);

const PACKAGES = [
  'podman,crun,catatonit,kubernetes-client,qemu-system-x86,iproute2',
  'ansible,ansible-lint',
  'ca-certificates,procps',
];
/** Ansible's module apt needs them on the host that it works on, which has no network. */
export const PYTHON_APT = '/opt/python3-apt';
const ARGS = [
  '--variant=minbase',
  '--aptopt=APT::Install-Recommends "false"',
  `--include=${PACKAGES.join(',')}`,
  `--customize-hook=chroot "$1" sh -c 'mkdir ${PYTHON_APT} && cd ${PYTHON_APT} && apt-get -o APT::Sandbox::User=root download python3-apt python-apt-common distro-info-data'`,
];

/** The root directory of a Debian 13 with podman, kubectl and Ansible, made once; not to be written to. Needs root. */
export async function toolsImage(): Promise<string> {
  const key = createHash('sha256').update(ARGS.join('\n')).digest('hex').slice(0, 16);
  const directory = join(CACHE, `fleets-${key}`);
  if (existsSync(directory)) return directory;
  await mkdir(CACHE, { recursive: true });
  for (const name of await readdir(CACHE))
    if (name.startsWith('fleets-')) await rm(join(CACHE, name), { recursive: true });
  const making = `${directory}.making`;
  await execFileAsync('mmdebstrap', ['--quiet', ...ARGS, 'trixie', making, `deb ${DEBIAN_MIRROR} trixie main`]);
  await rename(making, directory);
  return directory;
}
