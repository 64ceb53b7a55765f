import type { KsmSetting, KsmSettings, KsmState } from '../../core/ksm.js';
import type { ScanRules } from './comparing.js';
import { FILES_OF, type KernelFeatures } from './version.js';

export type Settings = Required<KsmSettings>;

/** As after boot. */
const DEFAULTS: Settings = {
  mergeAcrossNodes: 1,
  maxPageSharing: 256,
  useZeroPages: 0,
  smartScan: 1,
  stableNodeChainsPruneMillisecs: 2000,
  maxKernelPages: 0,
  pagesToScan: 100,
  sleepMillisecs: 20,
  advisorMaxCpu: 70,
  advisorMinPagesToScan: 500,
  advisorMaxPagesToScan: 30000,
  advisorTargetScanTime: 200,
  khugepagedMaxPtesNone: 511,
  run: 0,
  advisorMode: 'none',
  ksmdSched: 'other 5',
};

/** A kernel's settings after boot; those of features that it lacks do nothing. */
export function bootSettings(features: KernelFeatures): Settings {
  return { ...DEFAULTS, smartScan: features.smartScan ? 1 : 0 };
}

/** What settings and features say of the comparing of pages. */
export function rulesOf(
  { smartScan, useZeroPages, maxPageSharing }: Settings,
  { checksumFirst, zeroPagesCounted }: KernelFeatures,
): ScanRules {
  return {
    smartScan: smartScan === 1,
    useZeroPages: useZeroPages === 1,
    maxPageSharing,
    checksumFirst,
    zeroPagesCounted,
  };
}

/** Why the kernel refuses a value, as an error of the system call; undefined when it takes it. */
export function refusal(
  settings: Settings,
  setting: KsmSetting,
  value: number | string,
  pagesShared: number,
): string | undefined {
  const bounds = BOUNDS[setting];
  const outside = typeof value === 'number' && bounds !== undefined && (value < bounds[0] || value > bounds[1]);
  if (outside || (setting === 'pagesToScan' && settings.advisorMode !== 'none')) return 'EINVAL';
  const needsUnmerged = setting === 'mergeAcrossNodes' || setting === 'maxPageSharing';
  return needsUnmerged && value !== settings[setting] && pagesShared > 0 ? 'EBUSY' : undefined;
}

const BOUNDS: Readonly<Partial<Record<KsmSetting, readonly [number, number]>>> = {
  run: [0, 2],
  mergeAcrossNodes: [0, 1],
  maxPageSharing: [2, 2147483647],
  advisorTargetScanTime: [1, Number.MAX_SAFE_INTEGER],
};

type Counter =
  | 'fullScans'
  | 'pagesShared'
  | 'pagesSharing'
  | 'pagesUnshared'
  | 'pagesVolatile'
  | 'pagesScanned'
  | 'pagesSkipped'
  | 'ksmZeroPages'
  | 'generalProfit'
  | 'stableNodeChains'
  | 'stableNodeDups';
export type Counters = Required<Pick<KsmState, Counter>>;

/** The files of features that a kernel lacks. */
export function filesMissing(features: KernelFeatures): readonly (keyof KsmState)[] {
  return (Object.keys(FILES_OF) as (keyof typeof FILES_OF)[]).filter((name) => {
    const feature = FILES_OF[name];
    return feature !== undefined && !features[feature];
  });
}

/**
 * What the files say. Very old kernels and khugepaged are not simulated; and ksmd's class makes no difference where nobody else
 * wants a CPU. One by one: objects of so many names are slow when they are put together in a loop, and slow to read.
 */
export function shown(missing: readonly (keyof KsmState)[], settings: Settings, counters: Counters): KsmState {
  const files: { -readonly [Name in keyof KsmState]: KsmState[Name] } = {
    mergeAcrossNodes: settings.mergeAcrossNodes,
    maxPageSharing: settings.maxPageSharing,
    useZeroPages: settings.useZeroPages,
    smartScan: settings.smartScan,
    stableNodeChainsPruneMillisecs: settings.stableNodeChainsPruneMillisecs,
    pagesToScan: settings.pagesToScan,
    sleepMillisecs: settings.sleepMillisecs,
    advisorMaxCpu: settings.advisorMaxCpu,
    advisorMinPagesToScan: settings.advisorMinPagesToScan,
    advisorMaxPagesToScan: settings.advisorMaxPagesToScan,
    advisorTargetScanTime: settings.advisorTargetScanTime,
    run: settings.run,
    advisorMode: settings.advisorMode,
    fullScans: counters.fullScans,
    pagesShared: counters.pagesShared,
    pagesSharing: counters.pagesSharing,
    pagesUnshared: counters.pagesUnshared,
    pagesVolatile: counters.pagesVolatile,
    pagesScanned: counters.pagesScanned,
    pagesSkipped: counters.pagesSkipped,
    ksmZeroPages: counters.ksmZeroPages,
    generalProfit: counters.generalProfit,
    stableNodeChains: counters.stableNodeChains,
    stableNodeDups: counters.stableNodeDups,
  };
  for (const name of missing) Reflect.deleteProperty(files, name);
  return files;
}
