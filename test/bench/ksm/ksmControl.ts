import { setTimeout as sleep } from 'node:timers/promises';
import { type KsmSettings, ksmWrites, settingsOf } from '../../../src/core/ksm.js';
import { KsmDirectory } from '../../../src/host/ksm.js';
import { type SavedKsm, resetKsm, restoreKsm, saveKsm } from '../../support/kvm/ksm.js';

const STOPPED = { advisorMode: 'none', pagesToScan: 100, sleepMillisecs: 20, run: 0 } as const;
/** Batches of some 10 ms, and no sleep between them. */
export const FLAT_OUT: KsmSettings = { advisorMode: 'none', pagesToScan: 1500, sleepMillisecs: 0, run: 1 };

/** So many laps must bring next to nothing, out of so many at least. */
const VAIN_LAPS = 2;
const LEAST_LAPS = 4;
const NEXT_TO_NOTHING_SHARE = 0.001;
const POLL_MILLIS = 50;

/** The real KSM, this process's own until it is closed. */
export class KsmControl implements AsyncDisposable {
  readonly #ksm = new KsmDirectory('');
  readonly #saved: SavedKsm;
  /** As the host had it, but for what a tuner sets: that is the kernel's default. */
  readonly #found: KsmSettings;

  private constructor(saved: SavedKsm) {
    this.#saved = saved;
    this.#found = { ...settingsOf(this.#ksm.read()), ...STOPPED };
  }

  /** Rejects while another process has it. */
  static async open(): Promise<KsmControl> {
    return new KsmControl(await saveKsm());
  }

  async apply(settings: KsmSettings): Promise<void> {
    for (const { setting, to } of ksmWrites(this.#ksm.read(), settings)) await this.#ksm.write(setting, to);
  }

  /** Nothing is merged, ksmd stands, and every setting is as at first. */
  async fresh(): Promise<void> {
    await resetKsm();
    await this.apply(this.#found);
  }

  /** As fresh(), but what is merged stays merged. */
  async stop(): Promise<void> {
    await this.apply(this.#found);
  }

  /** Merges, flat out, until laps over all memory bring nothing more. Needs a guest. */
  async converge(signal: AbortSignal): Promise<void> {
    await this.apply(FLAT_OUT);
    let vain = 0;
    for (let lap = 1; lap <= LEAST_LAPS || vain < VAIN_LAPS; lap += 1) {
      const before = this.#ksm.read();
      await this.#lap(before.fullScans ?? 0, signal);
      const { pagesSharing } = this.#ksm.read();
      vain = pagesSharing - before.pagesSharing <= pagesSharing * NEXT_TO_NOTHING_SHARE ? vain + 1 : 0;
    }
    await this.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await restoreKsm(this.#saved);
  }

  async #lap(fullScans: number, signal: AbortSignal): Promise<void> {
    while (this.#ksm.read().fullScans === fullScans) await sleep(POLL_MILLIS, undefined, { signal });
  }
}
