import { savingsOf } from '../../../src/core/savings.js';
import { KsmDirectory } from '../../../src/host/ksm.js';
import { Ksmd } from '../../../src/host/ksmd.js';
import { pageSizeBytes } from '../../../src/host/sysfs.js';
import type { CurvePoint } from '../../../src/simulation/curve.js';
import { readAvailableBytes, readGuestsAnonBytes } from './hostMemory.js';

/**
 * What is taken for saved: what KSM's counters say; or, for guests that stay, pages that are shared and by how much their
 * private memory (RssAnon) fell, in which pages mapped to the zero page show and what splits of huge pages freed, of which
 * there is no counter.
 */
export type Measure = 'counters' | 'guests';

/** What the kernel's KSM looked like at one moment; `atMillis` is performance.now(), `savedBytes` is what the measure says. */
export interface Measured extends CurvePoint {
  /** What KSM's counters say. */
  readonly countedBytes: number;
  /** MemAvailable */
  readonly availableBytes: number;
  /** Time that ksmd has waited for a CPU so far. */
  readonly ksmdWaitNanos: number;
  readonly run: number;
  readonly pagesToScan: number;
  readonly sleepMillisecs: number;
  readonly fullScans: number;
  readonly pagesScanned: number;
  /** What ksmd's own records take; undefined on kernels that do not tell (before 6.0). */
  readonly bookkeepingBytes: number | undefined;
}

const PERIOD_MILLIS = 250;

/** Watches KSM from its making until it is disposed of. */
export class Sampler implements Disposable {
  readonly points: Measured[] = [];
  readonly #ksm = new KsmDirectory('');
  readonly #ksmd = new Ksmd('');
  readonly #pageSize = pageSizeBytes('');
  readonly #measure: Measure;
  readonly #anonAtFirstBytes = readGuestsAnonBytes();
  readonly #timer: NodeJS.Timeout;

  constructor(measure: Measure = 'counters') {
    this.#measure = measure;
    this.take();
    this.#timer = setInterval(() => this.take(), PERIOD_MILLIS);
  }

  get latest(): Measured {
    return this.points.at(-1) ?? this.take();
  }

  /** Looks now, besides the regular times. */
  take(): Measured {
    const state = this.#ksm.read();
    const times = this.#ksmd.times();
    if (times === undefined) throw new Error("ksmd's CPU time cannot be seen here");
    const { savedBytes: countedBytes, sharedBytes } = savingsOf(state, this.#pageSize);
    const guestsBytes = () => sharedBytes + this.#anonAtFirstBytes - readGuestsAnonBytes();
    const { run, pagesToScan, sleepMillisecs, fullScans = 0, pagesScanned = 0, generalProfit } = state;
    const point = {
      atMillis: performance.now(),
      savedBytes: this.#measure === 'counters' ? countedBytes : guestsBytes(),
      ...{ countedBytes, availableBytes: readAvailableBytes() },
      ksmdCpuNanos: times.cpuNanos,
      ksmdWaitNanos: times.waitNanos,
      ...{ run, pagesToScan, sleepMillisecs, fullScans, pagesScanned },
      bookkeepingBytes: generalProfit === undefined ? undefined : countedBytes - generalProfit,
    };
    this.points.push(point);
    return point;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
