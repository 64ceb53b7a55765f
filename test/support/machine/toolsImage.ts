import { debianImage } from './debianImage.js';

const PACKAGES = [
  'systemd,systemd-sysv,dbus,polkitd,nodejs,iproute2',
  'rpm,rpmlint,createrepo-c,dnf',
  'makepkg,pacman-package-manager,libarchive-tools,fakeroot,zstd,xz-utils',
  'nix-bin',
  'make,checkpolicy,selinux-policy-dev,selinux-policy-default,setools',
  'apparmor',
  'lintian,devscripts,autopkgtest,gpg,gpgv',
];

/** The root directory of a Debian 13 with the tools of other distributions' packages, not to be written to. Needs root. */
export function toolsImage(): Promise<string> {
  return debianImage({ name: 'tools', suite: 'trixie', packages: PACKAGES, hooks: [] });
}
