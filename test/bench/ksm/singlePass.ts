import { setTimeout as sleep } from 'node:timers/promises';
import type { KsmSettings, KsmState } from '../../../src/core/ksm.js';
import { KsmDirectory } from '../../../src/host/ksm.js';
import { Ksmd } from '../../../src/host/ksmd.js';
import { resetKsm } from '../../support/kvm/ksm.js';

/** What one pass of ksmd over all memory cost and found; `after` is KSM's own account at its end. */
export interface Pass {
  readonly cpuMicros: number;
  readonly scanned: number;
  readonly skipped: number;
  /** Pages that were merged less those that ceased to be. */
  readonly merged: number;
  readonly after: KsmState;
}

/** A batch as long as a pass: the kernel ends a batch at the end of a pass. */
const WHOLE_PASS_PAGES = 2 ** 31;
/** ksmd sleeps so long after a batch, unless the value is changed: that wakes it. */
const LONG_SLEEP_MILLIS = 3_600_000;

/** ksmd, made to go over all memory once each time it is told to. The caller has KSM for itself (saveKsm). */
export class SinglePasses {
  readonly #ksm = new KsmDirectory('');
  readonly #ksmd = new Ksmd('');

  /** Nothing is merged and ksmd stands when it resolves. */
  async reset(settings: KsmSettings): Promise<void> {
    await resetKsm();
    const all = { ...settings, pagesToScan: WHOLE_PASS_PAGES, sleepMillisecs: LONG_SLEEP_MILLIS };
    await this.set(all);
  }

  async set(settings: KsmSettings): Promise<void> {
    for (const [name, value] of Object.entries(settings)) await this.#ksm.write(name as keyof KsmSettings, value);
  }

  async pass(): Promise<Pass> {
    const before = this.#ksm.read();
    const cpuBefore = this.#cpuNanos();
    const { run, sleepMillisecs } = before;
    if (run === 1) await this.set({ sleepMillisecs: sleepMillisecs + (sleepMillisecs > LONG_SLEEP_MILLIS ? -1 : 1) });
    else await this.set({ run: 1 });
    while (this.#ksm.read().fullScans === before.fullScans) await sleep(2);
    const cpuAfter = await this.#cpuNanosAtRest();
    const after = this.#ksm.read();
    return {
      cpuMicros: (cpuAfter - cpuBefore) / 1000,
      scanned: (after.pagesScanned ?? 0) - (before.pagesScanned ?? 0),
      skipped: (after.pagesSkipped ?? 0) - (before.pagesSkipped ?? 0),
      merged: after.pagesSharing + after.pagesShared - before.pagesSharing - before.pagesShared,
      after,
    };
  }

  async passes(count: number): Promise<Pass[]> {
    const done: Pass[] = [];
    for (let index = 1; index <= count; index += 1) done.push(await this.pass());
    return done;
  }

  /** How long ksmd's turn lasts that is a batch of one page and this sleep, in milliseconds. Needs more pages than that. */
  async turnMillis(sleepMillisecs: number, watchMillis: number): Promise<number> {
    await this.set({ pagesToScan: 1, sleepMillisecs, run: 1 });
    await sleep(100);
    const [before, begin] = [this.#ksm.read(), performance.now()];
    await sleep(watchMillis);
    const millis = performance.now() - begin;
    return millis / ((this.#ksm.read().pagesScanned ?? 0) - (before.pagesScanned ?? 0));
  }

  #cpuNanos(): number {
    const nanos = this.#ksmd.times()?.cpuNanos;
    if (nanos === undefined) throw new Error("ksmd's CPU time cannot be seen here");
    return nanos;
  }

  async #cpuNanosAtRest(): Promise<number> {
    for (let last = NaN; ;) {
      const now = this.#cpuNanos();
      if (now === last) return now;
      last = now;
      await sleep(10);
    }
  }
}
