import type { Pace } from '../../../src/core/policies/shared/pace.js';

export interface KsmdTimes {
  /** What a page costs, nanoseconds. */
  readonly pageNanos: number;
  /** What the timer's ticks add to each sleep. */
  readonly roundingMillis: number;
}

/** ksmd as its pace sees it: a batch of pages, a sleep, a batch. A new pace holds from the next batch on. */
export class Ksmd {
  longestBatchMillis = 0;
  private leftPages = 0;
  private leftSleepMillis = 0;
  private batchMillis = 0;
  /** Moments and the CPU time used by then, milliseconds. */
  private readonly history: { readonly at: number; readonly cpu: number }[] = [{ at: 0, cpu: 0 }];

  /** Runs for a while; gives the CPU time used in it, nanoseconds. */
  run({ pagesToScan, sleepMillisecs }: Pace, millis: number, { pageNanos, roundingMillis }: KsmdTimes): number {
    const begin = this.last;
    const end = begin.at + millis;
    while (end - this.last.at > 1e-9) {
      const left = end - this.last.at;
      if (this.leftPages <= 0 && this.leftSleepMillis <= 0) this.leftPages = pagesToScan;
      if (this.leftPages > 0) {
        const step = Math.min(left, (this.leftPages * pageNanos) / 1e6);
        this.pass(step, step);
        this.batchMillis += step;
        this.leftPages -= (step * 1e6) / pageNanos;
        if (this.leftPages > 1e-6) continue;
        this.leftPages = 0;
        this.longestBatchMillis = Math.max(this.longestBatchMillis, this.batchMillis);
        this.batchMillis = 0;
        this.leftSleepMillis = sleepMillisecs + roundingMillis;
      } else {
        const step = Math.min(left, this.leftSleepMillis);
        this.pass(step, 0);
        this.leftSleepMillis -= step;
      }
    }
    return (this.last.cpu - begin.cpu) * 1e6;
  }

  /** The most of a core that it used over any time of this length that begins after `from`. */
  mostShare(millis: number, from: number): number {
    return Math.max(...this.shares(millis, from));
  }

  leastShare(millis: number, from: number): number {
    return Math.min(...this.shares(millis, from));
  }

  private get last(): { readonly at: number; readonly cpu: number } {
    return this.history[this.history.length - 1] as { at: number; cpu: number };
  }

  private pass(millis: number, cpuMillis: number): void {
    this.history.push({ at: this.last.at + millis, cpu: this.last.cpu + cpuMillis });
  }

  /** Shares of times that begin where work begins or ends: the extremes are among them and those that end there. */
  private shares(millis: number, from: number): number[] {
    const { history } = this;
    let [before, after] = [0, 0];
    const cpuAt = (moment: number, at: number) => {
      const [a, b] = [history[at], history[at + 1]];
      if (a === undefined || b === undefined || b.at === a.at) return a?.cpu ?? 0;
      return a.cpu + ((b.cpu - a.cpu) * (moment - a.at)) / (b.at - a.at);
    };
    return history.flatMap(({ at, cpu }) => {
      const shares: number[] = [];
      if (at >= from && at + millis <= this.last.at) {
        while ((history[after + 1]?.at ?? Infinity) < at + millis) after += 1;
        shares.push((cpuAt(at + millis, after) - cpu) / millis);
      }
      if (at - millis >= from) {
        while ((history[before + 1]?.at ?? Infinity) < at - millis) before += 1;
        shares.push((cpu - cpuAt(at - millis, before)) / millis);
      }
      return shares;
    });
  }
}
