import { type Root, readTextIfThere } from './sysfs.js';

export interface FileSystem {
  /** As in the third field of /proc/mounts, such as ext4 or zfs; empty where that is not known. */
  readonly type: string;
  /** The device, or what the file system calls its source; for ZFS a dataset (POOL/DATASET). */
  readonly source: string;
}

/** The file system of `/`, from /proc/mounts (fstab(5)): of several mounts there the last is the one in use. */
export function readRootFileSystem(root: Root): FileSystem {
  const mounts = (readTextIfThere(`${root}/proc/mounts`) ?? '').split('\n').map((line) => line.split(' '));
  const [source = '', , type = ''] = mounts.findLast(([, directory]) => directory === '/') ?? [];
  return { source, type };
}
