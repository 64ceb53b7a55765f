import { clean } from '../text/clean.js';
import { type Root, readTextIfThere } from './sysfs.js';

/**
 * A process's cgroup: "/machine.slice/machine-qemu\x2d1\x2dweb.scope/libvirt/emulator". Of cgroup v1's hierarchies systemd's is
 * taken, which is the last or has its name. In a cgroup namespace, as a pod has one, the kernel begins other cgroups' paths with
 * "/..", which is left out. Undefined for the root's, and where it is unknown.
 */
export function readCgroup(root: Root, pid: number): string | undefined {
  const lines = readTextIfThere(`${root}/proc/${pid}/cgroup`)?.split('\n') ?? [];
  const paths = new Map(
    lines.flatMap((line): [string, string][] => {
      const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
      return controllers === undefined || path === undefined ? [] : [[controllers, path]];
    }),
  );
  const [unified, named] = [paths.get(''), paths.get('name=systemd')];
  const path = (unified !== undefined && unified !== '/' ? unified : named)?.replace(/^(\/\.\.)+(?=\/)/, '');
  return path === undefined || path === '/' ? undefined : clean(path);
}
