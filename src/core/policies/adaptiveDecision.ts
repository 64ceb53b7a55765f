import type { Decision } from '../decision.js';
import { formatBytes } from '../format.js';
import type { Guest } from '../guest.js';
import { formatDuration } from '../hold.js';
import { type KsmSettings, type KsmState, bookkeepingBytes, savedBytes } from '../ksm.js';
import type { Sample } from '../sample.js';
import type { AdaptiveMemory, AdaptiveOptions, Watch } from './adaptive.js';
import type { Burst } from './burst.js';
import type { Need } from './need.js';
import type { Pace } from './pace.js';
import { type Probing, creditInMillis } from './probe.js';
import { type Mark, type Progress, progressBetween } from './progress.js';

const LOOK_MILLIS = 10_000;
const SETTLE_LOOK_MILLIS = 1000;
/** While ksmd runs, looks are frequent at first, when its pace is not known yet, and rare in a burst that takes long. */
const SCAN_LOOKS = [
  { untilMillis: 2000, millis: 250 },
  { untilMillis: 60_000, millis: 500 },
  { untilMillis: Number.POSITIVE_INFINITY, millis: 2000 },
] as const;
/** A pass that takes longer is told of: new guests wait that long for their turn. */
const LONG_PASS_MILLIS = 600_000;
/** So many guests are named; the others are counted. */
const NAMED_GUESTS = 3;

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
        { name: 'profit', value: memory.mark.profitBytes, unit: 'bytes', source: 'general_profit' },
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
      const what = waitedFor(Object.keys(settling), due?.guests ?? []);
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
  const left = Math.max(probeAtMillis - now, creditInMillis(probing, probeMaxMillis), SETTLE_LOOK_MILLIS);
  const saved = savedBytes(ksm, pageSizeBytes);
  const book = bookkeepingBytes(ksm);
  const atALoss = saved < book;
  const passed = last === undefined ? '' : `, after ${passesText(last.passes)}`;
  const sums = `${formatBytes(saved)} saved for ${formatBytes(book)} of bookkeeping${passed}`;
  return {
    ...resting(Math.min(LOOK_MILLIS, left)),
    reason: atALoss ? 'costs-more-than-it-saves' : 'nothing-to-gain',
    sentence: `${need.sentence}, but there is nothing more to gain (${sums}): resting, next probe in ${formatDuration(left)}${onlyCosting(guests)}`,
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
  if (progress === undefined || passes === 0) return '';
  const { cpuNanos, gainedBytes, elapsedMillis } = progress;
  const seconds = cpuNanos / 1e9;
  const gained = `; ${formatBytes(gainedBytes)} gained in ${passesText(passes)} for ${seconds.toFixed(1)} s of CPU`;
  const millisPerPass = (pass.monotonicMillis - begin.monotonicMillis) / passes;
  if (elapsedMillis === 0 || millisPerPass < LONG_PASS_MILLIS) return gained;
  return `${gained}; a pass takes ${formatDuration(millisPerPass)}, KSM_CPU_MAX makes it shorter`;
}

function waitedFor(growing: readonly string[], arrived: readonly string[]): string {
  if (growing.length === 0) return `the CPUs are busy while ${listed(arrived, 'comes', 'come')} up`;
  return listed(growing, 'is still filling its memory', 'are still filling their memory');
}

function onlyCosting(guests: readonly Guest[]): string {
  const names = guests.filter(({ ksmProfitBytes }) => (ksmProfitBytes ?? 0) < 0).map(({ name }) => name);
  return names.length === 0 ? '' : `; ${listed(names, 'only costs', 'only cost')}: nothing of it is shared`;
}

function listed(names: readonly string[], one: string, many: string): string {
  const shown = names.slice(0, NAMED_GUESTS).join(', ');
  const more = names.length - NAMED_GUESTS;
  return `${shown}${more > 0 ? ` and ${more} more` : ''} ${names.length === 1 ? one : many}`;
}

function passesText(count: number): string {
  return count === 1 ? 'one pass' : `${count} passes`;
}
