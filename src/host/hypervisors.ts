import { basename } from 'node:path';
import { QEMU } from './qemu.js';
import { CLOUD_HYPERVISOR, CROSVM, FIRECRACKER } from './otherHypervisors.js';
import type { Hypervisor } from './hypervisor.js';

const HYPERVISORS: readonly Hypervisor[] = [QEMU, CLOUD_HYPERVISOR, FIRECRACKER, CROSVM];

/**
 * What a process runs, by the file and by the name it was started under. Never by comm: a guest names its process as it likes
 * (`-name web,process=web`).
 *
 * @param executable the file; undefined where we may not know it.
 */
export function hypervisorOf(argv: readonly string[], executable: string | undefined): Hypervisor | undefined {
  const names = [argv[0], executable].flatMap((path) => (path === undefined ? [] : [basename(path)]));
  return HYPERVISORS.find(({ program }) => names.some((name) => program.test(name)));
}
