import type { KsmSetting, KsmSettings, KsmState } from '../../core/ksm.js';
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

const COUNTERS = [
  'fullScans',
  'pagesShared',
  'pagesSharing',
  'pagesUnshared',
  'pagesVolatile',
  'pagesScanned',
  'pagesSkipped',
  'ksmZeroPages',
  'generalProfit',
  'stableNodeChains',
  'stableNodeDups',
] as const satisfies readonly (keyof KsmState)[];
export type Counters = Required<Pick<KsmState, (typeof COUNTERS)[number]>>;

/** Very old kernels and khugepaged are not simulated. */
const NOT_SIMULATED: ReadonlySet<keyof KsmState> = new Set(['maxKernelPages', 'khugepagedMaxPtesNone']);

/** The names of what a kernel shows; not ksmd's class, which makes no difference where nobody else wants a CPU. */
export function namesShown(features: KernelFeatures): readonly (keyof KsmState)[] {
  return [...(Object.keys(DEFAULTS) as (keyof Settings)[]), ...COUNTERS].filter((name) => {
    if (name === 'ksmdSched' || NOT_SIMULATED.has(name)) return false;
    const feature = FILES_OF[name];
    return feature === undefined || features[feature];
  });
}

/** What the files of these names say. */
export function shown(names: readonly (keyof KsmState)[], settings: Settings, counters: Counters): KsmState {
  const all: Readonly<Record<string, number | string>> = { ...settings, ...counters };
  const files: Record<string, number | string | undefined> = {};
  for (const name of names) files[name] = all[name];
  return files as unknown as KsmState;
}
