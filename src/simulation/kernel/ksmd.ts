import type { KsmSetting, KsmState } from '../../core/ksm.js';
import { type AdvisorMemory, FRESH_ADVISOR, scanTimeAdvice } from './advisor.js';
import { SharedContents } from './content.js';
import { type KsmdCosts, sleepNanos } from './costs.js';
import type { VirtualGuest } from './guest.js';
import type { KernelFeatures } from './version.js';
import { type Settings, bootSettings, filesMissing, refusal, rulesOf, shown } from './ksmFiles.js';
import type { Contents, PageHolder } from './pages.js';
import type { Piece } from './piece.js';
import { Scanner } from './scanner.js';

/** sizeof(struct ksm_rmap_item) */
export const RECORD_BYTES = 64;

const NANOS_PER_MILLI = 1e6;

/**
 * The kernel's KSM with its thread, in virtual time.
 *
 * INVARIANTS: what it has done at a time does not depend on how often it was advanced before: at each time all is done that
 * was over by then, a page at a time; a page's price depends on nothing else than what was done before it; and all times
 * are whole nanoseconds, so that sums of them are exact.
 */
export class Ksmd {
  readonly contents: Contents = new SharedContents<PageHolder>();
  /** CPU time since boot. */
  cpuNanos = 0;
  fullScans = 0;
  /** Pages looked at since boot, also where the kernel does not report them. */
  pagesScanned = 0;
  private readonly scanner: Scanner;
  private readonly costs: KsmdCosts;
  private readonly features: KernelFeatures;
  private readonly missing: readonly (keyof KsmState)[];
  private readonly pageBytes: number;
  private settings: Settings;
  private advisor: AdvisorMemory = FRESH_ADVISOR;
  /** How far it has got; ahead of the host's time while it sleeps. Nanoseconds since boot. */
  private reachedNanos: number;
  /** Pages to look at before it sleeps; 0 when it sleeps. */
  private batchLeft = 0;
  /** CPU time of this batch so far. */
  private busyNanos = 0;
  /** What the files say, until something changes. */
  #files: KsmState | undefined;

  constructor(features: KernelFeatures, costs: KsmdCosts, pageBytes: number, bootedNanos: number) {
    this.features = features;
    this.missing = filesMissing(features);
    this.costs = costs;
    this.pageBytes = pageBytes;
    this.settings = bootSettings(features);
    this.reachedNanos = bootedNanos;
    this.scanner = new Scanner(this.contents, costs, rulesOf(this.settings, features));
  }

  enter(guest: VirtualGuest): void {
    this.#files = undefined;
    this.scanner.enter(guest);
  }

  leave(guest: VirtualGuest): void {
    this.#files = undefined;
    this.scanner.leave(guest);
  }

  /** A guest writes to its empty pages from `from` to `to`, and empties them again. */
  emptied(guest: VirtualGuest, from: number, to: number): void {
    this.#files = undefined;
    this.scanner.emptied(guest, from, to);
  }

  /** What merging could save at best, in pages. @param splitsFree empty pages are in huge pages whose splitting frees them. */
  possiblePages(splitsFree: boolean): number {
    const { maxPageSharing, useZeroPages } = this.settings;
    return this.contents.possiblePages(maxPageSharing, splitsFree || useZeroPages === 1) + this.scanner.freedPages;
  }

  /** Pages mapped to the zero page that KSM counts nowhere. */
  get freedPages(): number {
    return this.scanner.freedPages;
  }

  /** Pages of the huge pages that were split to free empty ones. */
  get splitPages(): number {
    return this.scanner.splitPages;
  }

  get zeroPages(): number {
    return this.scanner.zeroPages;
  }

  /** Memory of its records, in bytes. */
  get bookkeepingBytes(): number {
    return (this.scanner.items + this.contents.totals.shared + this.contents.totals.chains) * RECORD_BYTES;
  }

  /** How it is set to run. */
  get pace(): Pick<KsmState, 'run' | 'pagesToScan' | 'sleepMillisecs'> {
    return this.settings;
  }

  /** The files of /sys/kernel/mm/ksm. */
  state(): KsmState {
    this.#files ??= this.read();
    return this.#files;
  }

  private read(): KsmState {
    const { items, unshared, zeroPages, skipped } = this.scanner;
    const { shared, sharing, chains, dups } = this.contents.totals;
    const pagesUnshared = Math.round(unshared);
    const counters = {
      fullScans: this.fullScans,
      pagesShared: shared,
      pagesSharing: sharing,
      pagesUnshared,
      pagesVolatile: Math.max(items - shared - sharing - pagesUnshared, 0),
      pagesScanned: this.pagesScanned,
      pagesSkipped: skipped,
      ksmZeroPages: zeroPages,
      generalProfit: (sharing + zeroPages) * this.pageBytes - items * RECORD_BYTES,
      stableNodeChains: chains,
      stableNodeDups: dups,
    };
    return shown(this.missing, this.settings, counters);
  }

  /** @returns why the kernel refuses it, as the system call's error; undefined when it is taken. */
  write(setting: KsmSetting, value: number | string, nowNanos: number): string | undefined {
    const error = refusal(this.settings, setting, value, this.contents.totals.shared);
    if (error !== undefined || this.settings[setting] === value) return error;
    this.#files = undefined;
    this.settings = { ...this.settings, [setting]: value };
    this.scanner.rules = rulesOf(this.settings, this.features);
    if (setting === 'run') this.batchLeft = 0;
    if (setting === 'run' && value === 2) this.unmerge();
    if (setting === 'advisorMode') this.switchAdvisor();
    if (setting === 'sleepMillisecs' && this.batchLeft === 0) this.reachedNanos = nowNanos;
    return undefined;
  }

  /** Runs until `nowNanos`, a whole number. */
  advance(nowNanos: number): void {
    while (this.isAwake && this.reachedNanos <= nowNanos) {
      this.#files = undefined;
      if (!this.act(nowNanos - this.reachedNanos)) return;
    }
    if (!this.isAwake) this.reachedNanos = nowNanos;
  }

  private get isAwake(): boolean {
    return this.settings.run === 1 && this.settings.pagesToScan > 0 && !this.scanner.isEmpty;
  }

  /** Does the next thing, if the time that is left is enough for it. */
  private act(leftNanos: number): boolean {
    if (this.batchLeft === 0) {
      if (!this.spend(this.wakingNanos, leftNanos)) return false;
      [this.batchLeft, this.busyNanos] = [this.settings.pagesToScan, this.wakingNanos];
      return true;
    }
    if (this.scanner.atHead) {
      if (!this.spend(Math.round(this.costs.passNanos), leftNanos)) return false;
      this.advisor = { ...this.advisor, startMillis: this.reachedNanos / NANOS_PER_MILLI };
      this.scanner.begin();
      return true;
    }
    const piece = this.scanner.next(this.reachedNanos);
    if (piece === undefined) this.endPass();
    return piece === undefined || this.scanBatches(piece, leftNanos) || this.scanPages(piece, leftNanos);
  }

  /** Whole batches of alike pages, all at once; each with the waking for the next. */
  private scanBatches(piece: Piece, leftNanos: number): boolean {
    const { pagesToScan } = this.settings;
    const isFresh = this.batchLeft === pagesToScan && this.busyNanos === this.wakingNanos;
    if (!piece.counted || !isFresh) return false;
    const busyNanos = this.wakingNanos + pagesToScan * this.priceOf(piece.costNanos);
    const restNanos = this.restAfter(busyNanos);
    const batches = Math.min(Math.floor(piece.pages / pagesToScan), Math.floor(leftNanos / (busyNanos + restNanos)));
    if (batches < 1) return false;
    this.cpuNanos += batches * busyNanos;
    this.reachedNanos += batches * (busyNanos + restNanos);
    this.pagesScanned += batches * pagesToScan;
    piece.scan(batches * pagesToScan);
    return true;
  }

  private scanPages({ pages, costNanos, counted, scan }: Piece, leftNanos: number): boolean {
    const most = counted ? Math.min(pages, this.batchLeft) : pages;
    const price = this.priceOf(costNanos);
    const scanned = Math.min(most, Math.floor(leftNanos / price));
    if (scanned < 1 || !this.spend(scanned * price, leftNanos)) return false;
    scan(scanned);
    if (counted) {
      this.pagesScanned += scanned;
      this.batchLeft -= scanned;
      if (this.batchLeft === 0) this.reachedNanos += this.restAfter(this.busyNanos);
    }
    return true;
  }

  private priceOf(costNanos: number): number {
    return Math.round(costNanos * (this.settings.sleepMillisecs > 0 ? this.costs.pacedFactor : 1));
  }

  private get wakingNanos(): number {
    return this.settings.sleepMillisecs > 0 ? this.priceOf(this.costs.batchNanos) : 0;
  }

  private restAfter(busyNanos: number): number {
    return sleepNanos(this.settings.sleepMillisecs, busyNanos, this.costs.tickNanos);
  }

  private spend(nanos: number, leftNanos: number): boolean {
    if (nanos > leftNanos) return false;
    this.cpuNanos += nanos;
    this.reachedNanos += nanos;
    this.busyNanos += nanos;
    return true;
  }

  /** The batch ends with the pass, however few its pages were. */
  private endPass(): void {
    const { pagesToScan } = this.settings;
    const millis = this.reachedNanos / NANOS_PER_MILLI;
    this.reachedNanos += this.restAfter(this.busyNanos);
    this.batchLeft = 0;
    this.fullScans += 1;
    if (this.settings.advisorMode === 'none') return;
    const advice = scanTimeAdvice(this.settings, this.advisor, { millis, cpuNanos: this.cpuNanos, pagesToScan });
    this.advisor = advice.memory;
    this.settings = { ...this.settings, pagesToScan: advice.pagesToScan };
  }

  private switchAdvisor(): void {
    const on = this.settings.advisorMode === 'scan-time';
    this.advisor = FRESH_ADVISOR;
    this.settings = {
      ...this.settings,
      pagesToScan: on ? this.settings.advisorMinPagesToScan : bootSettings(this.features).pagesToScan,
    };
  }

  private unmerge(): void {
    this.scanner.unmerge();
    this.fullScans = 0;
  }
}
