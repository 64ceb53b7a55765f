import { readdirSync } from 'node:fs';
import { MalformedError, type Root, isAbsence, parseWhole, readText, readTextIfThere } from './sysfs.js';

export interface NumaNode {
  readonly id: number;
  readonly totalBytes: number;
  /** What is free or holds cached files, without shared memory, which is somebody's. */
  readonly freeBytes: number;
  /** The kernel's relative distances to every node, 10 being the node itself; empty where it does not report them. */
  readonly distances: readonly number[];
}

/**
 * The nodes of /sys/devices/system/node that have memory. A kernel built without NUMA has no such directory: then there
 * are none.
 */
export function readNumaNodes(root: Root): readonly NumaNode[] {
  const directory = `${root}/sys/devices/system/node`;
  const ids = namesIn(directory).flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? []);
  return ids
    .map((id) => readNode(`${directory}/node${id}`, Number(id)))
    .filter(({ totalBytes }) => totalBytes > 0)
    .sort((a, b) => a.id - b.id);
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

/** "Node 0 MemTotal:  514640 kB", a kB being 1024 bytes. */
function readNode(directory: string, id: number): NumaNode {
  const path = `${directory}/meminfo`;
  const text = readText(path);
  const bytes = (field: string) => {
    const kb = new RegExp(`^Node \\d+ ${field}:\\s*(\\d+) kB$`, 'm').exec(text)?.[1];
    return kb === undefined ? undefined : parseWhole(kb, path) * 1024;
  };
  const totalBytes = bytes('MemTotal');
  if (totalBytes === undefined) throw new MalformedError(path, 'a line "Node N MemTotal: NUMBER kB"', text);
  const cachedBytes = Math.max((bytes('FilePages') ?? 0) - (bytes('Shmem') ?? 0), 0);
  const distances = readTextIfThere(`${directory}/distance`)?.trim().split(/\s+/) ?? [];
  return {
    id,
    totalBytes,
    freeBytes: (bytes('MemFree') ?? 0) + cachedBytes,
    distances: distances.map((word) => parseWhole(word, `${directory}/distance`)),
  };
}
