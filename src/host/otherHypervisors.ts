import { clean } from '../text/clean.js';
import type { MemoryTraits, Obstacle } from '../core/mergeability.js';
import type { Hypervisor } from './hypervisor.js';
import { propertiesOf, valuesOf } from './qemuOptions.js';
import { LONGEST_NAME, memoryBytes } from './memorySize.js';

/** `--memory size=1G,mergeable=on,shared=off,hugepages=off`: all off unless said; docs/memory.md of its sources. */
export const CLOUD_HYPERVISOR: Hypervisor = {
  program: /^cloud-hypervisor(-static)?$/,
  describe(argv, pid) {
    if (isQuestion(argv)) return undefined;
    return { name: `cloud-hypervisor-${pid}`, configuredBytes: memoryBytes(memoryOf(argv).get('size') ?? '512M') };
  },
  traits(argv) {
    const memory = memoryOf(argv);
    const says = (name: string) => memory.get(name) === 'on' || memory.get(name) === 'true';
    const obstacles: Obstacle[] = [];
    if (says('shared')) obstacles.push('shared');
    if (says('hugepages')) obstacles.push('hugepages');
    if (!says('mergeable')) obstacles.push('not offered');
    return { obstacles, locked: false };
  },
};

/** Its memory is private, and it never offers it; the size is in a file or comes over its socket. */
export const FIRECRACKER: Hypervisor = {
  program: /^firecracker$/,
  describe(argv, pid) {
    if (isQuestion(argv)) return undefined;
    return { name: nameIn(argv, 'id') ?? `firecracker-${pid}`, configuredBytes: 0 };
  },
  traits: () => NOT_OFFERED,
};

/** Its memory is a memfd that its devices' processes share. */
export const CROSVM: Hypervisor = {
  program: /^crosvm$/,
  describe(argv, pid) {
    if (!argv.includes('run') || isQuestion(argv)) return undefined;
    // `--mem 2048` or `--mem size=2048`, in MiB.
    const [size = '0'] = [...(propertiesOf(spread(argv), 'size', 'mem')[0]?.values() ?? [])];
    return { name: nameIn(argv, 'name') ?? `crosvm-${pid}`, configuredBytes: memoryBytes(size) };
  },
  traits: () => ({ obstacles: ['shared'], locked: false }),
};

const NOT_OFFERED: MemoryTraits = { obstacles: ['not offered'], locked: false };

function memoryOf(argv: readonly string[]): ReadonlyMap<string, string> {
  return propertiesOf(spread(argv), 'size', 'memory')[0] ?? new Map<string, string>();
}

function nameIn(argv: readonly string[], option: string): string | undefined {
  const name = valuesOf(spread(argv), option)[0];
  return name === undefined || name === '' ? undefined : clean(name).slice(0, LONGEST_NAME);
}

/** `--id=web` as `--id web`. */
function spread(argv: readonly string[]): readonly string[] {
  return argv.flatMap((word) => {
    const [, option, value] = /^(--[\w-]+)=(.*)$/s.exec(word) ?? [];
    return option === undefined ? [word] : [option, value ?? ''];
  });
}

function isQuestion(argv: readonly string[]): boolean {
  return argv.some((word) => /^(--version|--help|-V|-h)$/.test(word));
}
