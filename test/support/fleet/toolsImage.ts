import { debianImage } from '../machine/debianImage.js';

const PACKAGES = [
  'podman,crun,catatonit,kubernetes-client,qemu-system-x86,iproute2',
  'ansible,ansible-lint',
  'ca-certificates,procps',
];
/** Ansible's module apt needs them on the host that it works on, which has no network. */
export const PYTHON_APT = '/opt/python3-apt';
const HOOK = `chroot "$1" sh -c 'mkdir ${PYTHON_APT} && cd ${PYTHON_APT} && apt-get -o APT::Sandbox::User=root download python3-apt python-apt-common distro-info-data'`;

/** The root directory of a Debian 13 with podman, kubectl and Ansible, not to be written to. Needs root. */
export function toolsImage(): Promise<string> {
  return debianImage({ name: 'fleets', suite: 'trixie', packages: PACKAGES, hooks: [HOOK] });
}
