import type { Term, Explanation } from '../../decision.js';
import { formatDuration } from '../../duration.js';
import { compareBytes } from '../../format.js';
import type { Sample } from '../../sample.js';
import type { AdaptiveMemory } from './memory.js';
import { describeScanCause } from '../shared/cause.js';
import type { Settle, Watch } from './phase.js';
import { mostGainBytes, requiredGainBytes } from './beforeBurst.js';
import { creditInMillis } from './probe.js';
import { growingIn } from '../shared/settling.js';

type Waiting = Pick<Explanation, 'terms' | 'comparisons' | 'change'>;

/** Nothing is looked at again sooner. */
const LEAST_LOOK_MILLIS = 1000;

/** When the next probe begins, milliseconds from now: it is due by then, and paid for. */
export function probeInMillis(
  { probeAtMillis }: Watch,
  { counters, probing }: Pick<AdaptiveMemory, 'counters' | 'probing'>,
  probeMaxMillis: number,
): number {
  return Math.max(probeAtMillis - counters.monotonicMillis, creditInMillis(probing, probeMaxMillis), LEAST_LOOK_MILLIS);
}

/** The numbers that decide how long merging waits, and what would end the wait; undefined while ksmd runs, or is not needed. */
export function waitingOf(memory: AdaptiveMemory, sample: Sample, probeMaxMillis: number): Waiting | undefined {
  const { phase } = memory;
  if (phase.name === 'settle') return waitingForGuests(phase, memory);
  if (phase.name !== 'watch') return undefined;
  return waitingForMore(memory, sample, probeInMillis(phase, memory, probeMaxMillis));
}

function waitingForGuests(
  { ripe }: Settle,
  { settling, counters }: Pick<AdaptiveMemory, 'settling' | 'counters'>,
): Waiting {
  const filling = count('filling guests', growingIn(settling).length, 'guests whose memory still grows');
  const begins = 'merging begins when they stop growing';
  if (ripe === undefined) return { terms: [filling], comparisons: [], change: begins };
  const leftMillis = Math.max(ripe.untilMillis - counters.monotonicMillis, 0);
  return {
    terms: [
      filling,
      bytes('settled', ripe.bytes, 'resident memory of the guests that could be merged now'),
      millis('longest wait', leftMillis, 'what merging the settled memory takes, from when it had settled'),
    ],
    comparisons: [],
    change: `${begins}, or in ${formatDuration(leftMillis)}`,
  };
}

function waitingForMore(memory: AdaptiveMemory, sample: Sample, leftMillis: number): Waiting {
  const { due, counters } = memory;
  const probe = millis('next probe', leftMillis, 'longer the less the last probes found, at most KSM_PROBE_MAX');
  if (due === undefined) {
    return { terms: [probe], comparisons: [], change: 'merging begins when a guest starts or a probe finds changes' };
  }
  const [came, wanted] = [mostGainBytes(due, sample), requiredGainBytes(memory, counters)];
  const { sign, size } = compareBytes([came], wanted);
  return {
    terms: [
      bytes('new guests', came, `resident memory: ${describeScanCause(due, sample.guests)}`),
      bytes(
        'worth a burst',
        wanted,
        'the gain that pays for passes over all memory, more after bursts that gained nothing',
      ),
      probe,
    ],
    comparisons: [`new guests ${size(came)} ${sign} ${size(wanted)} worth a burst`],
    change: `merging begins when new guests bring ${size(Math.max(wanted - came, 0))} more, or a probe finds changes`,
  };
}

function bytes(name: string, value: number, source: string): Term {
  return { name, value: Math.round(value), unit: 'bytes', source };
}

function millis(name: string, value: number, source: string): Term {
  return { name, value: Math.round(value), unit: 'milliseconds', source };
}

function count(name: string, value: number, source: string): Term {
  return { name, value, unit: 'count', source };
}
