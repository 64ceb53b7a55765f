import { existsSync } from 'node:fs';
import type { Root } from './sysfs.js';

/** Its runtime directory, and its daemons; /etc/libvirt is there with the client's library alone. */
const TRACES = ['/run/libvirt', '/usr/sbin/libvirtd', '/usr/sbin/virtqemud'];

/** Whether libvirt can be the manager of this host's guests: where it is not, nobody misses it. */
export function libvirtIsHere(root: Root): boolean {
  return TRACES.some((path) => existsSync(`${root}${path}`));
}
