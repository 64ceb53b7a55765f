/** The kernel begins to look for memory to reclaim when less is free, as a share of the whole. */
const LOW_FREE_SHARE = 0.02;
/** Pressure is an average of this time (PSI's avg10), which the kernel brings up to date every two seconds. */
const PRESSURE_MILLIS = 10_000;
export const PRESSURE_STEP_MILLIS = 2000;
/** Less is none, so that it ends one day: far below what the kernel prints. */
const LEAST_PRESSURE_PERCENT = 1e-9;

/** A rough likeness of PSI: tasks begin to wait when the kernel has to reclaim, and wait most when it swaps. */
export class MemoryPressure {
  private readonly lowBytes: number;
  private average = 0;

  constructor(totalBytes: number) {
    this.lowBytes = totalBytes * LOW_FREE_SHARE;
  }

  /** With two decimals, as the kernel prints it. */
  get percent(): number {
    return Math.round(this.average * 100) / 100;
  }

  /** Whether there is none, and will be none while so much is free. */
  staysAway(freeBytes: number): boolean {
    return this.average === 0 && freeBytes >= this.lowBytes;
  }

  /** Once each PRESSURE_STEP_MILLIS. @param freeBytes below 0 for what is in swap. */
  press(freeBytes: number): void {
    const now = freeBytes >= this.lowBytes ? 0 : freeBytes >= 0 ? 40 * (1 - freeBytes / this.lowBytes) : 80;
    const average = this.average + (now - this.average) * (1 - Math.exp(-PRESSURE_STEP_MILLIS / PRESSURE_MILLIS));
    this.average = average < LEAST_PRESSURE_PERCENT ? 0 : average;
  }
}
