/**
 * The settings that are numbers, by the names used here, in the order in which they must be written. A file without a slash is
 * in /sys/kernel/mm/ksm; one with a slash is below /sys/kernel/mm, and is no part of KSM: it decides what becomes of merged pages.
 *
 * INVARIANTS: `ksmdSched`, which is no file, comes before all of them, so that ksmd does not run in a class that it should not
 * have; `advisorMode` comes before the values it governs when it is switched off and after them when it is switched on
 * (`pages_to_scan` answers EINVAL while it is on, and switching it off resets `pages_to_scan` to 100); `run` is written last
 * when merging begins, so that ksmd never runs with half of the values, and before the others when it ends.
 *
 * https://docs.kernel.org/admin-guide/mm/ksm.html
 */
export const KSM_SETTINGS = {
  mergeAcrossNodes: 'merge_across_nodes',
  maxPageSharing: 'max_page_sharing',
  useZeroPages: 'use_zero_pages',
  smartScan: 'smart_scan',
  stableNodeChainsPruneMillisecs: 'stable_node_chains_prune_millisecs',
  maxKernelPages: 'max_kernel_pages',
  pagesToScan: 'pages_to_scan',
  sleepMillisecs: 'sleep_millisecs',
  advisorMaxCpu: 'advisor_max_cpu',
  advisorMinPagesToScan: 'advisor_min_pages_to_scan',
  advisorMaxPagesToScan: 'advisor_max_pages_to_scan',
  advisorTargetScanTime: 'advisor_target_scan_time',
  khugepagedMaxPtesNone: 'transparent_hugepage/khugepaged/max_ptes_none',
  run: 'run',
} as const;

const COUNTERS = {
  fullScans: 'full_scans',
  pagesShared: 'pages_shared',
  pagesSharing: 'pages_sharing',
  pagesUnshared: 'pages_unshared',
  pagesVolatile: 'pages_volatile',
  pagesScanned: 'pages_scanned',
  pagesSkipped: 'pages_skipped',
  ksmZeroPages: 'ksm_zero_pages',
  /** Bytes; negative when the bookkeeping costs more than merging saves. */
  generalProfit: 'general_profit',
  stableNodeChains: 'stable_node_chains',
  stableNodeDups: 'stable_node_dups',
} as const;

/** Settings that samepaged reads and leaves to the administrator. */
const FOREIGN_SETTINGS = {
  /** 1: KSM merges zero pages, with the kernel's zero page, and nothing else. Red Hat's kernels have it from RHEL 9.9 on. */
  redhatOnlyZeroPages: 'redhat_only_zero_pages',
} as const;

/** Every number that is read, by its file. Which of them exist depends on the kernel. */
export const KSM_NUMBERS = { ...KSM_SETTINGS, ...FOREIGN_SETTINGS, ...COUNTERS } as const;
export type KsmNumber = keyof typeof KSM_NUMBERS;

type AdvisorMode = 'none' | 'scan-time';
/** ksmd's scheduling policy and nice value: "other 5" is the kernel's own. Real-time policies are none of these. */
export type KsmdSched = `${'other' | 'batch' | 'idle'} ${number}`;
export type KsmSetting = keyof typeof KSM_SETTINGS | 'advisorMode' | 'ksmdSched';

/** Values to be set; what is absent is left alone. */
export type KsmSettings = Readonly<Partial<Record<keyof typeof KSM_SETTINGS, number>>> & {
  readonly advisorMode?: AdvisorMode;
  readonly ksmdSched?: KsmdSched;
};

/** What the kernel shows. The five files that every KSM kernel has are always there. */
export type KsmState = Readonly<Partial<Record<KsmNumber, number>>> & {
  readonly run: number;
  readonly pagesToScan: number;
  readonly sleepMillisecs: number;
  readonly pagesShared: number;
  readonly pagesSharing: number;
  /** The kernel's own tuner; absent before Linux 6.8. */
  readonly advisorMode?: AdvisorMode;
  /** Absent where ksmd cannot be seen, as in a container, and where it has a real-time policy. */
  readonly ksmdSched?: KsmdSched;
};

/** The file of a setting, below /sys/kernel/mm/ksm or with a slash below /sys/kernel/mm; what a person calls it where it has none. */
export function ksmFile(setting: KsmSetting): string {
  if (setting === 'ksmdSched') return "ksmd's scheduling";
  return setting === 'advisorMode' ? 'advisor_mode' : KSM_SETTINGS[setting];
}

/** The settings that change when `settings` are set: switching the advisor changes pages_to_scan too. */
export function settingsTouched(settings: readonly KsmSetting[]): readonly KsmSetting[] {
  return settings.includes('advisorMode') ? [...settings, 'pagesToScan'] : settings;
}

export interface KsmWrite {
  readonly setting: KsmSetting;
  /** NaN where it could not be read. */
  readonly from: number | string;
  readonly to: number | string;
}

/** "pages_to_scan 100 -> 364" */
export function describeWrite({ setting, from, to }: KsmWrite): string {
  return `${ksmFile(setting)} ${Number.isNaN(from) ? '?' : from} -> ${to}`;
}

/**
 * What must be written, in order, to bring `state` to `wanted`. Settings that this kernel lacks are left out, and so is
 * `pagesToScan` while the advisor stays on, which sets it itself.
 */
export function ksmWrites(state: KsmSettings, wanted: KsmSettings): readonly KsmWrite[] {
  const advised = state.advisorMode === 'scan-time' && wanted.advisorMode !== 'none';
  const advisorOff = wanted.advisorMode === 'none' && state.advisorMode !== undefined && state.advisorMode !== 'none';
  const writes: KsmWrite[] = [];
  for (const setting of writeOrder(wanted)) {
    const to = wanted[setting];
    const from = state[setting];
    if (to === undefined || from === undefined) continue;
    if (setting === 'pagesToScan' && advised) continue;
    const resetByAdvisor = setting === 'pagesToScan' && advisorOff;
    if (from !== to || resetByAdvisor) writes.push({ setting, from, to });
  }
  return writes;
}

const VALUES = (Object.keys(KSM_SETTINGS) as (keyof typeof KSM_SETTINGS)[]).filter((setting) => setting !== 'run');
const ADVISOR_OFF_FIRST = ['advisorMode', ...VALUES] as const;
const ADVISOR_ON_LAST = [...VALUES, 'advisorMode'] as const;

function writeOrder({ advisorMode, run }: KsmSettings): readonly KsmSetting[] {
  const ordered = advisorMode === 'scan-time' ? ADVISOR_ON_LAST : ADVISOR_OFF_FIRST;
  return run === 1 ? ['ksmdSched', ...ordered, 'run'] : ['ksmdSched', 'run', ...ordered];
}

/** A setting with a value that is not the one that was set. */
export interface ForeignValue {
  readonly setting: KsmSetting;
  readonly set: number | string;
  readonly found: number | string;
}

/**
 * Settings whose value in the kernel is not the one that was set: somebody else changed them. The kernel's advisor, which
 * somebody may have switched on, sets pages_to_scan by itself.
 */
export function changedByOthers(set: KsmSettings, state: KsmSettings): readonly ForeignValue[] {
  return settingsIn(set).flatMap((setting) => {
    if (setting === 'pagesToScan' && state.advisorMode === 'scan-time') return [];
    const [ours, found] = [set[setting], state[setting]];
    return ours === undefined || found === undefined || ours === found ? [] : [{ setting, set: ours, found }];
  });
}

/** The names of the settings that `settings` has. */
export function settingsIn(settings: KsmSettings): readonly KsmSetting[] {
  return Object.keys(settings) as KsmSetting[];
}

/** Every setting that `state` has, as settings: what would bring the kernel back to it. */
export function settingsOf(state: KsmSettings): KsmSettings {
  const settings = [...(Object.keys(KSM_SETTINGS) as KsmSetting[]), 'advisorMode' as const, 'ksmdSched' as const];
  return Object.fromEntries(
    settings.flatMap((setting) => {
      const value = state[setting];
      return value === undefined ? [] : [[setting, value]];
    }),
  );
}

/**
 * Pages that ksmd keeps an eye on: those of the last passes that are still there. `pages_volatile` is the kernel's own
 * difference of the others from this number.
 */
export function pagesSeen({ pagesShared, pagesSharing, pagesUnshared = 0, pagesVolatile = 0 }: KsmState): number {
  return pagesShared + pagesSharing + pagesUnshared + pagesVolatile;
}
