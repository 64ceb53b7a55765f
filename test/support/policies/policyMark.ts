// What ksmd's counters were at one moment, for tests of what follows from two of them.
import type { KsmdCounters } from '../../../src/core/policies/shared/progress.js';

export const ZERO: KsmdCounters = {
  monotonicMillis: 0,
  fullScans: 10,
  profitBytes: 0,
  savedBytes: 0,
  bookkeepingBytes: 0,
  beingFreedBytes: 0,
  pagesVolatile: 0,
  pagesSeen: 1000,
  pagesMerged: 0,
  pagesUnshared: 0,
  mergesAtFirstScan: false,
  zeroPages: 0,
  pageSizeBytes: 4096,
  pagesVisited: 0,
  pagesSkipped: 0,
  cpuNanos: 0,
  waitNanos: 0,
};
export const markWith = (parts: Partial<KsmdCounters>): KsmdCounters => ({ ...ZERO, ...parts });
