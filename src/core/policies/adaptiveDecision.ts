import type { Decision } from '../decision.js';
import { formatBytes } from '../format.js';
import type { Guest } from '../guest.js';
import { formatDuration } from '../duration.js';
import { type KsmSettings, type KsmState, bookkeepingBytes, savedBytes } from '../ksm.js';
import type { Sample } from '../sample.js';
import type { AdaptiveMemory, AdaptiveOptions, Watch } from './adaptive.js';
import type { Burst } from './burst.js';
import { listed } from './due.js';
import type { Need } from './need.js';
import type { Pace } from './pace.js';
import { type Probing, creditInMillis } from './probe.js';
import { type Mark, type Progress, progressBetween } from './progress.js';
import { type Settling, describeSettling } from './settling.js';

const LOOK_MILLIS = 10_000;
const SETTLE_LOOK_MILLIS = 500;
const LEAST_LOOK_MILLIS = 1000;
/** While ksmd runs, looks are frequent at first, when its pace is not known yet, and rarer in a burst that takes long. */
const SCAN_LOOKS = [
  { untilMillis: 2000, millis: 250 },
  { untilMillis: 180_000, millis: 500 },
  { untilMillis: Number.POSITIVE_INFINITY, millis: 2000 },
] as const;
/** A pass that takes longer is told of: new guests wait that long for their turn. */
const LONG_PASS_MILLIS = 600_000;

type Told = Pick<Decision, 'reason' | 'sentence' | 'nextInMillis' | 'routine'> & { readonly settings: KsmSettings };

/** What a phase means for ksmd, and why, in a sentence. */
export function decisionOf(memory: AdaptiveMemory, need: Need, sample: Sample, options: AdaptiveOptions): Decision {
  const { keys, terms, ...working } = need.working;
  return {
    ...told(memory, need, sample, options),
    working: {
      ...working,
      terms: [
        ...terms,
        { name: 'CPU budget', value: options.cpuMaxPercent, unit: 'percent', source: 'KSM_CPU_MAX, of one core' },
        { name: 'profit', value: memory.mark.profitBytes, unit: 'bytes', source: profitSource(sample.ksm) },
        {
          name: 'bookkeeping',
          value: memory.mark.bookkeepingBytes,
          unit: 'bytes',
          source: '64 bytes for each page seen',
        },
      ],
      keys: [...keys, 'KSM_CPU_MAX', 'KSM_PROBE_MAX'],
    },
  };
}

function told(
  { phase, due, settling, pace, mark, probing }: AdaptiveMemory,
  need: Need,
  sample: Sample,
  options: AdaptiveOptions,
): Told {
  const now = mark.monotonicMillis;
  const run = (begin: Mark, everyPage: boolean): Pick<Told, 'settings' | 'nextInMillis' | 'routine'> => {
    const age = now - begin.monotonicMillis;
    const nextInMillis = SCAN_LOOKS.find(({ untilMillis }) => age < untilMillis)?.millis ?? LOOK_MILLIS;
    return { settings: { ...scanning(pace, sample.ksm), ...smartScan(everyPage) }, nextInMillis, routine: age > 0 };
  };
  /** smart_scan skips pages that did not merge for up to eight passes: a probe would not see them change. */
  const smartScan = (everyPage: boolean) =>
    sample.ksm.smartScan === undefined || !options.ownsSmartScan ? {} : { smartScan: everyPage ? 0 : 1 };
  switch (phase.name) {
    case 'rest':
      return { ...resting(LOOK_MILLIS), reason: 'enough-memory', sentence: `${need.sentence}: not merging` };
    case 'settle': {
      const what = waitedFor(settling, due?.guests ?? []);
      return {
        ...resting(SETTLE_LOOK_MILLIS),
        reason: 'guests-settling',
        sentence: `${need.sentence}: merging is wanted, but ${what}, so it waits`,
      };
    }
    case 'burst': {
      const so = progressBetween(phase.begin, mark);
      const sentence = `${need.sentence}; ${phase.why}: merging with up to ${options.cpuMaxPercent} % of a core${soFar(phase, so)}`;
      return { ...run(phase.begin, phase.thorough), reason: 'burst', sentence };
    }
    case 'probe':
      return {
        ...run(phase.begin, true),
        routine: true,
        reason: 'probe',
        sentence: `${need.sentence}: looking at a little memory, to see whether anything has changed`,
      };
    case 'watch':
      return watching(phase, probing, need, sample, now, options);
  }
}

function watching(
  phase: Watch,
  probing: Probing,
  need: Need,
  sample: Sample,
  now: number,
  { probeMaxMillis }: AdaptiveOptions,
): Told {
  const { last, probeAtMillis } = phase;
  const { ksm, pageSizeBytes, guests } = sample;
  const left = Math.max(probeAtMillis - now, creditInMillis(probing, probeMaxMillis), LEAST_LOOK_MILLIS);
  const saved = savedBytes(ksm, pageSizeBytes);
  const book = bookkeepingBytes(ksm);
  const atALoss = saved < book;
  const what = atALoss ? 'merging takes more memory than it saves' : nothingOf(book);
  const passed = last === undefined || last.passes === 0 ? '' : `, after ${passesText(last.passes)}`;
  const sums = `${formatBytes(saved)} saved for ${formatBytes(book)} of bookkeeping${passed}`;
  return {
    ...resting(Math.min(LOOK_MILLIS, left)),
    reason: atALoss ? 'costs-more-than-it-saves' : 'nothing-to-gain',
    sentence: `${need.sentence}, but ${what} (${sums}): resting, next probe in ${formatDuration(left)}${onlyCosting(guests)}`,
    routine: last?.pass.monotonicMillis !== now,
  };
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

function soFar({ passes, begin, pass }: Burst, progress: Progress | undefined): string {
  if (progress === undefined) return '';
  const { cpuNanos, gainedBytes, elapsedMillis } = progress;
  if (passes === 0)
    return elapsedMillis < LONG_PASS_MILLIS
      ? ''
      : `; the first pass has taken ${formatDuration(elapsedMillis)} so far, KSM_CPU_MAX makes it shorter`;
  const seconds = cpuNanos / 1e9;
  const gained = `; ${formatBytes(gainedBytes)} gained in ${passesText(passes)} for ${seconds.toFixed(1)} s of CPU`;
  const millisPerPass = (pass.monotonicMillis - begin.monotonicMillis) / passes;
  return millisPerPass < LONG_PASS_MILLIS
    ? gained
    : `${gained}; a pass takes ${formatDuration(millisPerPass)}, KSM_CPU_MAX makes it shorter`;
}

function waitedFor(settling: Settling, arrived: readonly string[]): string {
  const busy = Object.keys(settling).length === 0;
  return busy ? `the CPUs are busy while ${listed(arrived, 'comes', 'come')} up` : describeSettling(settling);
}

function onlyCosting(guests: readonly Guest[]): string {
  const names = guests.filter(({ ksmProfitBytes }) => (ksmProfitBytes ?? 0) < 0).map(({ name }) => name);
  return names.length === 0 ? '' : `; ${listed(names, 'only costs', 'only cost')}: hardly a page is shared`;
}

/** What there is to say when passes bring nothing: without bookkeeping, there was no page to be seen. */
function nothingOf(bookkeeping: number): string {
  return bookkeeping === 0 ? 'no memory is offered for merging' : 'there is nothing more to gain';
}

function profitSource({ generalProfit }: KsmState): string {
  return generalProfit === undefined ? 'what is saved less its bookkeeping' : 'general_profit';
}

function passesText(count: number): string {
  return count === 1 ? 'one pass' : `${count} passes`;
}
