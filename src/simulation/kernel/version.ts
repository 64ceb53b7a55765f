import { type KernelVersion, isAtLeast } from '../../core/kernelVersion.js';
import type { KsmNumber } from '../../core/ksm.js';

/** Since which release there is what. */
const SINCE = {
  /** general_profit */
  profit: { major: 6, minor: 4 },
  /** ksm_zero_pages */
  zeroPagesCounted: { major: 6, minor: 6 },
  /** pages_scanned */
  scannedCounted: { major: 6, minor: 6 },
  smartScan: { major: 6, minor: 7 },
  advisor: { major: 6, minor: 8 },
  /** A page whose content changed is not looked for in the stable tree: before, a page could be merged when first seen. */
  checksumFirst: { major: 6, minor: 11 },
  /** Splitting a huge page maps those of its pages that are empty to the zero page, which frees them (b1f202060afe). */
  splitFreesZeros: { major: 6, minor: 12 },
} as const satisfies Record<string, KernelVersion>;

/** What a kernel's KSM can do. */
export type KernelFeatures = Readonly<Record<keyof typeof SINCE, boolean>>;

export function featuresOf(version: KernelVersion): KernelFeatures {
  return Object.fromEntries(
    Object.entries(SINCE).map(([feature, since]) => [feature, isAtLeast(version, since)]),
  ) as KernelFeatures;
}

/** The files that come with a feature. */
export const FILES_OF: Readonly<Partial<Record<KsmNumber | 'advisorMode', keyof KernelFeatures>>> = {
  generalProfit: 'profit',
  ksmZeroPages: 'zeroPagesCounted',
  pagesScanned: 'scannedCounted',
  smartScan: 'smartScan',
  pagesSkipped: 'smartScan',
  advisorMode: 'advisor',
  advisorMaxCpu: 'advisor',
  advisorMinPagesToScan: 'advisor',
  advisorMaxPagesToScan: 'advisor',
  advisorTargetScanTime: 'advisor',
};
