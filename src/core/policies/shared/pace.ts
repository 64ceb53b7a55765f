import { DEAREST_PAGE_NANOS, type Progress } from './progress.js';

/** How fast ksmd goes: a batch of pages, then sleep. */
export interface Pace {
  readonly pagesToScan: number;
  readonly sleepMillisecs: number;
  /** CPU time used beyond the budget and not yet made up for; negative when less was used, nanoseconds. */
  readonly owedNanos: number;
}

/**
 * ksmd does not answer while it works through a batch: a write to `run` waits for it. Some 10 ms is short for a person and
 * long beside the rounding of its sleep, which is counted in timer ticks of 1 to 10 ms.
 */
const LONGEST_BATCH_NANOS = 10e6;
/** Small budgets have shorter batches instead of longer sleeps: a retune each 250 ms must see more than one of them. */
const LONGEST_SLEEP_MILLIS = 100;
/** Bounds of one step: the cost of a page differs by ten between memory that merges and memory that does not. */
const LEAST_STEP = 1 / 16;
const LARGEST_STEP = 4;
const LEAST_PAGES = 16;
/** Some 10 to 60 ms at the 0.3 to 2 µs that a page costs which does not merge. */
const MOST_PAGES = 32768;
/** What is owed is made up for within this time. */
const REPAY_MILLIS = 2000;
/** What was left unused counts for this long. */
const CREDIT_MILLIS = 500;
/** A shorter time says little: a batch may be in it or not. */
const LEAST_MEASURED_MILLIS = 100;
/** A budget of a whole core leaves nothing to pace by sleeping. */
const WHOLE_CORE = 0.98;

/** The pace to begin with, when nothing is known of what a page costs: safe for the dearest. */
export function firstPace(budget: number): Pace {
  const pagesToScan = Math.trunc(batchNanosFor(budget) / DEAREST_PAGE_NANOS);
  return { pagesToScan, sleepMillisecs: sleepFor(budget), owedNanos: 0 };
}

/**
 * An idle ksmd that waits for a CPU in the middle of a batch holds KSM's mutex for up to a second, and with it perhaps the memory
 * lock of a guest. While it waits for more than this part of the time, a batch is so short that it is mostly done once it has begun:
 * measured, mmap() in a guest then took 85 ms at the longest, and 780 ms with 3000 pages.
 */
const BUSY_SHARE = 0.5;
const SHORT_BATCH_PAGES = 100;

/**
 * The pace that keeps ksmd at `budget` (parts of one core, 0 to 1) after it was measured at `pace`.
 *
 * A share of a core is batch : sleep, whatever a page costs and however the kernel rounds the sleep, so the batch is
 * multiplied by what is missing to the wanted ratio: one step brings it there while costs stay the same. What went beyond
 * the budget before that is made up for, so that the average stays. Time in which others had the CPU is neither.
 *
 * @param yields whether ksmd leaves the CPU to everybody else.
 */
export function nextPace(
  pace: Pace,
  { elapsedMillis, cpuNanos, waitNanos }: Spent,
  budget: number,
  yields = false,
): Pace {
  const { sleepMillisecs, owedNanos } = restingPace(pace, { elapsedMillis, cpuNanos, waitNanos }, budget);
  if (sleepMillisecs !== pace.sleepMillisecs) return { ...firstPace(budget), owedNanos };
  // A wait is counted when it ends, so a retune may not show it yet, or show more than the time since the last retune.
  if (yields && (cpuNanos === 0 || waitNanos > BUSY_SHARE * elapsedMillis * 1e6)) {
    return { sleepMillisecs, owedNanos, pagesToScan: Math.min(pace.pagesToScan, SHORT_BATCH_PAGES) };
  }
  const hadNanos = elapsedMillis * 1e6 - waitNanos;
  if (hadNanos < LEAST_MEASURED_MILLIS * 1e6) return { ...pace, owedNanos };
  const wanted = bounded(budget - owedNanos / (REPAY_MILLIS * 1e6), budget / 10, (1 + budget) / 2);
  const measured = bounded(cpuNanos / hadNanos, 0.001, 0.999);
  const step = sleepMillisecs === 0 ? 1 : bounded(odds(wanted) / odds(measured), LEAST_STEP, LARGEST_STEP);
  const pagesToScan = Math.round(bounded(pace.pagesToScan * step, LEAST_PAGES, MOST_PAGES));
  return { pagesToScan, sleepMillisecs, owedNanos };
}

/** The pace to begin with after a rest: costs may be others now, what is owed stays. */
export function restingPace(pace: Pace, { elapsedMillis, cpuNanos }: Spent, budget: number): Pace {
  const owedNanos = pace.owedNanos + cpuNanos - budget * elapsedMillis * 1e6;
  return { ...firstPace(budget), owedNanos: Math.max(owedNanos, -budget * CREDIT_MILLIS * 1e6) };
}

type Spent = Pick<Progress, 'elapsedMillis' | 'cpuNanos' | 'waitNanos'>;

/** ksmd's sleep between batches, in whole milliseconds. */
export function sleepFor(budget: number): number {
  if (budget >= WHOLE_CORE) return 0;
  return Math.round(bounded(LONGEST_BATCH_NANOS / 1e6 / odds(budget), 1, LONGEST_SLEEP_MILLIS));
}

/** How long a batch is meant to take, nanoseconds. */
export function batchNanosFor(budget: number): number {
  return Math.min(LONGEST_BATCH_NANOS, LONGEST_SLEEP_MILLIS * 1e6 * odds(budget));
}

/** Time at work for each unit of time at rest. */
function odds(share: number): number {
  return share / (1 - share);
}

function bounded(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
