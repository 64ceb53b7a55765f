// What the check-up's unit tests begin from: a host of 16 GiB on which all is well, and a table's runner.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Values, defaultValues } from '../../../src/config/keys.js';
import type { KsmState } from '../../../src/core/ksm.js';
import type { MemoryFigures } from '../../../src/core/memory.js';
import type { DaemonProperties } from '../../../src/api/client.js';
import type { Finding, Level } from '../../../src/doctor/check.js';
import { CHECKS } from '../../../src/doctor/examine.js';
import { type Fact, absent, known } from '../../../src/doctor/fact.js';
import type { Configuration, Facts } from '../../../src/doctor/facts.js';
import type { ExaminedGuest } from '../../../src/doctor/guestFacts.js';

export const MIB = 1024 ** 2;
export const GIB = 1024 ** 3;

/** KSM of a new kernel after boot. */
export const KSM: KsmState = {
  run: 0,
  pagesToScan: 100,
  sleepMillisecs: 20,
  pagesShared: 0,
  pagesSharing: 0,
  pagesUnshared: 0,
  pagesVolatile: 0,
  fullScans: 0,
  mergeAcrossNodes: 1,
  maxPageSharing: 256,
  stableNodeChains: 0,
  stableNodeDups: 0,
  generalProfit: 0,
  ksmZeroPages: 0,
  smartScan: 1,
  advisorMode: 'none',
};

/** The same, merging since long and with success: 2 GiB saved. */
export const MERGING: KsmState = {
  ...KSM,
  run: 1,
  pagesShared: 65_536,
  pagesSharing: 524_288,
  fullScans: 20,
  generalProfit: 2_000_000_000,
};

export const MEMORY: MemoryFigures = {
  memTotalBytes: 16 * GIB,
  memFreeBytes: 8 * GIB,
  memAvailableBytes: 10 * GIB,
  buffersBytes: 0,
  cachedBytes: 2 * GIB,
  shmemBytes: 0,
  swapTotalBytes: 2 * GIB,
  swapFreeBytes: 2 * GIB,
  hugetlbBytes: 0,
  reclaimableArcBytes: 0,
};

export const CONFIGURATION: Configuration = {
  file: '/etc/ksmtuned.conf',
  present: true,
  errors: [],
  warnings: [],
  values: defaultValues(),
};

/** The configuration with these keys set. */
export function configured(values: Partial<Values>): Fact<Configuration> {
  return known({ ...CONFIGURATION, values: { ...CONFIGURATION.values, ...values } });
}

export const DAEMON: DaemonProperties = {
  version: '1.2.3',
  policy: 'ksmtuned',
  configuredPolicy: 'ksmtuned',
  policies: ['ksmtuned'],
  sharingRatio: 0,
  ksmdCpuPercent: null,
  bookkeepingBytes: 0,
  profitBytes: 0,
  availableBytes: 0,
  guestMemoryBytes: 0,
  nextLookUSec: 0,
  run: 0,
  pagesToScan: 100,
  sleepMillisecs: 20,
  savedBytes: 0,
  sharedBytes: 0,
  zeroBytes: 0,
  freedBytes: 0,
  beingFreedBytes: 0,
  guestCount: 0,
  libvirtConnected: true,
  dryRun: false,
  hold: '',
  holdUntilUSec: 0,
  lastRetune: { triggers: [], changes: [], problems: [], sentence: 'all is well' },
};

export const HEALTHY: Facts = {
  kernelRelease: known('6.18.0'),
  pageSize: known({ bytes: 4096, assumed: false }),
  ksm: known(KSM),
  unknownKsmFiles: known([]),
  perProcessFile: known('ksm_stat'),
  memory: known(MEMORY),
  swapAreas: known([{ path: '/dev/sda2', sizeBytes: 2 * GIB, usedBytes: 0, inMemory: false }]),
  rootFileSystem: known({ source: '/dev/sda1', type: 'ext4' }),
  transparentHugepages: known({
    mode: 'madvise',
    sizeBytes: 2 * MIB,
    usedBytes: 0,
    splitFreesZeros: false,
  }),
  hugepagePools: known([]),
  numaNodes: known([{ id: 0, totalBytes: 16 * GIB, freeBytes: 8 * GIB, distances: [10] }]),
  guests: known([]),
  strangers: known([]),
  otherMergers: known({ count: 0, mergedBytes: 0, largest: [] }),
  tuners: known([{ name: 'samepaged', pid: 900 }]),
  numad: known([]),
  libvirtDaemons: known([{ name: 'virtqemud', pid: 700 }]),
  libvirtIsHere: known(true),
  libvirtSocket: known(true),
  enabledServices: known(new Set(['samepaged.service'])),
  bootWrites: known([]),
  ksmtunedIsAlias: known(false),
  uksm: known(false),
  configuration: known(CONFIGURATION),
  bus: known({ address: 'the system bus' }),
  libvirt: known({ kind: 'answers', guests: [] }),
  daemon: known(DAEMON),
  asRoot: known(true),
  policyTrial: absent('not enough recorded'),
};

export function factsOf(parts: Partial<Facts> = {}): Facts {
  return { ...HEALTHY, ...parts };
}

/** `object` without one of its fields. */
export function without<T extends object, K extends keyof T>(object: T, field: K): Omit<T, K> {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== field)) as Omit<T, K>;
}

export function guestOf(parts: Partial<ExaminedGuest> & { readonly name: string }): ExaminedGuest {
  return {
    manager: 'libvirt',
    residentBytes: GIB,
    configuredBytes: 2 * GIB,
    mergeability: { mergeable: true, obstacles: [], locked: false },
    profitBytes: undefined,
    ...parts,
  };
}

/** What one check says; undefined where it does not apply. */
export function findingOf(id: string, parts: Partial<Facts>): Finding | undefined {
  const check = CHECKS.find((candidate) => candidate.id === id);
  assert.ok(check !== undefined, `there is no check ${id}`);
  return check.examine(factsOf(parts));
}

export interface Row {
  readonly name: string;
  /** What differs from the healthy host. */
  readonly facts: Partial<Facts>;
  readonly level: Level;
  readonly found: RegExp;
  /** Against the commands, one a line; nothing is to be mended unless told. */
  readonly remedy?: RegExp;
}

/** One test for each row. */
export function checkTable(id: string, rows: readonly Row[]): void {
  describe(id, () => {
    for (const { name, facts, level, found, remedy } of rows) {
      test(`the check ${id} gives ${level}: ${name}`, () => {
        const finding = findingOf(id, facts);
        assert.equal(finding?.level, level, finding?.found);
        assert.match(finding.found, found);
        const commands = finding.remedies?.join('\n') ?? '';
        if (remedy === undefined) assert.equal(commands, '');
        else assert.match(commands, remedy);
      });
    }
  });
}
