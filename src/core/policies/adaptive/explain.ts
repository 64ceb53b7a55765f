import type { Decision } from '../../decision.js';
import { formatBytes } from '../../format.js';
import type { Guest } from '../../guest.js';
import { formatDuration } from '../../duration.js';
import { onlyCosts } from '../../onlyCosting.js';
import type { KsmSettings, KsmState } from '../../ksm.js';
import type { Sample } from '../../sample.js';
import type { AdaptiveMemory, AdaptiveOptions } from './memory.js';
import type { Burst } from '../shared/burst.js';
import { describeScanCause, listed } from '../shared/cause.js';
import type { Need } from '../shared/need.js';
import type { Pace } from '../shared/pace.js';
import type { Phase, Settle, Watch } from './phase.js';
import { mostGainBytes, requiredGainBytes } from './beforeBurst.js';
import { type KsmdCounters, type Progress, progressBetween } from '../shared/progress.js';
import { savingsTerms } from '../shared/savingsTerms.js';
import { describeSettling, longestWaitMillis } from '../shared/settling.js';
import { millisToPassEnd, stageOfBurst, stageOfWaiting } from '../shared/stage.js';
import { probeInMillis, waitingOf } from './waiting.js';

/** While ksmd rests. A retune takes some 7 ms of CPU, and the daemon is to take at most 0.05 % of a core. */
const REST_LOOK_MILLIS = 15_000;
const SETTLE_LOOK_MILLIS = 500;
/** While ksmd runs, retunes are frequent at first, when its pace is not known yet, and rarer in a burst that takes long. */
const SCAN_LOOKS = [
  { untilMillis: 2000, millis: 250 },
  { untilMillis: 180_000, millis: 500 },
] as const;
const RARE_SCAN_LOOK_MILLIS = 2000;
/** The end of a pass is looked at so long after it is expected ... */
const PASS_END_MILLIS = 20;
/** ... but not more often than this. */
const LEAST_SCAN_LOOK_MILLIS = 100;
/** A pass that takes longer is shown: new guests wait that long for their turn. */
const LONG_PASS_MILLIS = 600_000;

type Told = Pick<Decision, 'reason' | 'sentence' | 'nextInMillis' | 'staysForMillis' | 'routine' | 'stage'> & {
  readonly settings: KsmSettings;
};

/**
 * What a phase means for ksmd, and why, in a sentence.
 *
 * @param before the phase of the last retune.
 */
export function decisionOf(
  memory: AdaptiveMemory,
  before: Phase | undefined,
  need: Need,
  sample: Sample,
  options: AdaptiveOptions,
): Decision {
  const { keys, terms, comparisons, ...working } = need.working;
  const waiting = waitingOf(memory, sample, options.probeMaxMillis);
  return {
    ...told(memory, isWorthTelling(memory, before), need, sample, options),
    isUrgent: need.urgent,
    working: {
      ...working,
      ...(waiting?.change === undefined ? {} : { change: waiting.change }),
      comparisons: [...comparisons, ...(waiting?.comparisons ?? [])],
      terms: [
        ...terms,
        ...(waiting?.terms ?? []),
        { name: 'CPU budget', value: options.cpuMaxPercent, unit: 'percent', source: 'KSM_CPU_MAX, of one core' },
        ...savingsTerms(sample),
        { name: 'profit', value: memory.counters.profitBytes, unit: 'bytes', source: profitSource(sample.ksm) },
        {
          name: 'bookkeeping',
          value: memory.counters.bookkeepingBytes,
          unit: 'bytes',
          source: bookkeepingSource(sample.ksm),
        },
      ],
      keys: [...keys, 'KSM_CPU_MAX', 'KSM_PROBE_MAX'],
    },
  };
}

/** Whether it is worth a line in the log; what probes do and find is not, unless it begins a burst. */
function isWorthTelling({ phase, counters }: AdaptiveMemory, before: Phase | undefined): boolean {
  if (phase.name === 'burst' && phase.begin === counters) return true;
  return phase.name !== 'probe' && phase.name !== before?.name && before?.name !== 'probe';
}

function told(memory: AdaptiveMemory, isNew: boolean, need: Need, sample: Sample, options: AdaptiveOptions): Told {
  const { phase, settling, pace, counters } = memory;
  const run = (begin: KsmdCounters, everyPage: boolean): { settings: KsmSettings; nextInMillis: number } => {
    const age = counters.monotonicMillis - begin.monotonicMillis;
    const nextInMillis = SCAN_LOOKS.find(({ untilMillis }) => age < untilMillis)?.millis ?? RARE_SCAN_LOOK_MILLIS;
    return { settings: { ...scanning(pace, sample.ksm), ...smartScan(everyPage) }, nextInMillis };
  };
  /** smart_scan skips pages that did not merge for up to eight passes: a probe would not see them change. */
  const smartScan = (everyPage: boolean) =>
    sample.ksm.smartScan === undefined || !options.ownsSmartScan ? {} : { smartScan: everyPage ? 0 : 1 };
  switch (phase.name) {
    case 'rest':
      return {
        ...resting(REST_LOOK_MILLIS),
        staysForMillis: Infinity,
        reason: 'enough-memory',
        sentence: `${need.sentence}: not merging`,
      };
    case 'settle':
      return {
        ...resting(SETTLE_LOOK_MILLIS),
        stage: stageOfWaiting(waitMillis(phase, memory)),
        reason: 'guests-settling',
        sentence: `${need.sentence}: merging is wanted, but ${describeSettling(settling, sample.guests)}, so it waits${priceOf(phase, counters)}`,
      };
    case 'burst': {
      const so = soFar(phase, counters, options.cpuMaxPercent / 100);
      const sentence = `${need.sentence}; ${phase.why}: merging with up to ${options.cpuMaxPercent} % of a core${so}`;
      const scans = run(phase.begin, phase.thorough);
      return {
        ...scans,
        nextInMillis: lookAtPassEnd(scans.nextInMillis, phase, counters, sample),
        reason: 'burst',
        sentence,
        routine: !isNew,
        stage: stageOfBurst(phase, counters, sample, options.cpuMaxPercent / 100),
      };
    }
    case 'probe':
      return {
        ...run(phase.begin, true),
        routine: true,
        reason: 'probe',
        sentence: `${need.sentence}: ksmd scans a little memory to see whether anything has changed`,
      };
    case 'watch':
      return { ...watching(phase, memory, need, sample, options), routine: !isNew };
  }
}

function watching(
  phase: Watch,
  memory: AdaptiveMemory,
  need: Need,
  sample: Sample,
  { probeMaxMillis }: AdaptiveOptions,
): Told {
  const { due, last, counters } = memory;
  const { guests } = sample;
  const left = probeInMillis(phase, memory, probeMaxMillis);
  const { savedBytes: saved, bookkeepingBytes: book } = counters;
  const atALoss = saved < book;
  const what = atALoss ? 'merging takes more memory than it saves' : nothingOf(book);
  const passed = last === undefined || last.passes === 0 ? '' : `, after ${passesText(last.passes)}`;
  const sums = `${formatBytes(saved)} saved for ${formatBytes(book)} of bookkeeping${passed}`;
  const few =
    due === undefined
      ? ''
      : `; ${describeScanCause(due, sample.guests)} (${formatBytes(mostGainBytes(due, sample))}), too little for a burst of its own (${formatBytes(requiredGainBytes(memory, counters))})`;
  return {
    ...resting(Math.min(REST_LOOK_MILLIS, left)),
    // What is due, and pressure, are waited for as well.
    ...(due === undefined && !need.urgent ? { staysForMillis: left } : {}),
    reason: atALoss ? 'costs-more-than-it-saves' : 'nothing-to-gain',
    stage: { name: 'done' },
    sentence: `${need.sentence}, but ${what} (${sums}): resting, next probe in ${formatDuration(left)}${few}${onlyCosting(guests)}`,
  };
}

/** For how long it waits at most, milliseconds. */
function waitMillis({ ripe }: Settle, { settling, counters }: AdaptiveMemory): number | undefined {
  const { monotonicMillis } = counters;
  return ripe === undefined ? longestWaitMillis(settling, monotonicMillis) : ripe.untilMillis - monotonicMillis;
}

/** For how long it waits at most, and for what price. */
function priceOf({ ripe }: Settle, { monotonicMillis }: KsmdCounters): string {
  if (ripe === undefined) return '';
  const left = formatDuration(ripe.untilMillis - monotonicMillis);
  return `, ${left} at most, as the ${formatBytes(ripe.bytes)} that have settled wait too`;
}

/** The end of a pass is looked at when it comes: what ksmd does after it may be for nothing. */
function lookAtPassEnd(usualMillis: number, burst: Burst, counters: KsmdCounters, sample: Sample): number {
  const endMillis = burst.whole ? millisToPassEnd(burst, counters, sample) : undefined;
  if (endMillis === undefined) return usualMillis;
  return Math.min(usualMillis, Math.max(Math.ceil(endMillis) + PASS_END_MILLIS, LEAST_SCAN_LOOK_MILLIS));
}

function resting(nextInMillis: number): Pick<Told, 'settings' | 'nextInMillis'> {
  return { settings: { run: 0 }, nextInMillis };
}

function scanning({ pagesToScan, sleepMillisecs }: Pace, ksm: KsmState): KsmSettings {
  return {
    ...(ksm.advisorMode === undefined ? {} : { advisorMode: 'none' as const }),
    pagesToScan,
    sleepMillisecs,
    run: 1,
  };
}

function soFar({ passes, begin, pass }: Burst, counters: KsmdCounters, budget: number): string {
  const progress = progressBetween(begin, counters);
  if (progress === undefined) return '';
  const { cpuNanos, gainedBytes } = progress;
  if (passes === 0) return longPass('the first pass has taken', ' so far', ranMillis(progress, budget));
  const gained = `; ${gainedBytes > 0 ? formatBytes(gainedBytes) : 'nothing'} gained in ${passesText(passes)} for ${(cpuNanos / 1e9).toFixed(1)} s of CPU`;
  const toPass = progressBetween(begin, pass);
  return `${gained}${toPass === undefined ? '' : longPass('a pass takes', '', ranMillis(toPass, budget) / passes)}`;
}

/** Time in which ksmd was held, or only would have run, is not its own. */
function ranMillis({ elapsedMillis, cpuNanos }: Progress, budget: number): number {
  return Math.min(elapsedMillis, cpuNanos / 1e6 / budget);
}

function longPass(what: string, soFar: string, millis: number): string {
  return millis < LONG_PASS_MILLIS ? '' : `; ${what} ${formatDuration(millis)}${soFar}, KSM_CPU_MAX makes it shorter`;
}

function onlyCosting(guests: readonly Guest[]): string {
  const names = guests.filter(({ ksmProfitBytes }) => onlyCosts(ksmProfitBytes)).map(({ name }) => name);
  return names.length === 0 ? '' : `; ${listed(names, 'only costs', 'only cost')}: hardly a page is shared`;
}

/** What there is to say when passes bring nothing: without bookkeeping, there was no page to be seen. */
function nothingOf(bookkeeping: number): string {
  return bookkeeping === 0 ? 'no memory is offered for merging' : 'there is nothing more to gain';
}

function profitSource({ generalProfit }: KsmState): string {
  return generalProfit === undefined ? 'what is saved less its bookkeeping' : 'general_profit, and what splits freed';
}

function bookkeepingSource({ generalProfit }: KsmState): string {
  return generalProfit === undefined ? '64 bytes for each page seen' : 'the saved pages less general_profit';
}

function passesText(count: number): string {
  return count === 1 ? 'one pass' : `${count} passes`;
}
