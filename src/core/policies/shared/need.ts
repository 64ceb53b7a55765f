import type { Term, Explanation } from '../../decision.js';
import { compareBytes, formatBytes } from '../../format.js';
import type { Guest } from '../../guest.js';
import type { Sample } from '../../sample.js';

export interface NeedOptions {
  /** KSM_THRES_COEF: the reserve as a percentage of total memory (20). */
  readonly thresholdPercent: number;
  /** KSM_THRES_CONST: the least reserve, in bytes (2048 kB). */
  readonly thresholdBytes: number;
  /** KSM_WHEN: `always` needs merging whatever memory there is (needed). */
  readonly when: 'needed' | 'always';
}

/** Whether merging is wanted, and how soon. */
export interface Need {
  readonly needed: boolean;
  /** Memory is nearly out, or tasks already wait for it. */
  readonly urgent: boolean;
  /** Which of them it is; undefined where it is not urgent. */
  readonly urgency: string | undefined;
  /** The comparisons with their numbers, without what follows from them. */
  readonly sentence: string;
  readonly working: Explanation;
}

/** Of the reserve: by how much memory must exceed what began the merging before it ends. */
const HYSTERESIS = 0.25;
/** Less than this part of the reserve free is urgent; it is over above the second. */
const URGENT_FREE = [0.5, 0.6] as const;
/** Tasks that wait for memory more than this part of the time, percent, are urgent; it is over below the second. */
const URGENT_PRESSURE_PERCENT = [10, 5] as const;

/**
 * Whether memory is short (less free than the reserve, as ksmtuned has it) or promised to be: the guests' configured
 * memory, all of which they may use, and the reserve exceed the host's. `before` is the last answer; what is needed stays
 * so until memory exceeds the same figures by a quarter of the reserve.
 */
export function needOf(
  { memory, guests, memoryPressurePercent }: Sample,
  before: Pick<Need, 'needed' | 'urgent'> | undefined,
  { thresholdPercent, thresholdBytes, when }: NeedOptions,
): Need {
  const { totalBytes, freeBytes } = memory;
  const baseBytes = Math.max((totalBytes * thresholdPercent) / 100, thresholdBytes);
  const ending = before?.needed === true && when === 'needed';
  const reserveBytes = ending ? baseBytes * (1 + HYSTERESIS) : baseBytes;
  const promisedBytes = guests.reduce((sum, guest) => sum + promisedTo(guest), 0);

  const leftBytes = totalBytes - promisedBytes - reserveBytes;
  const short = freeBytes < reserveBytes;
  const needed = when === 'always' || leftBytes < 0 || short;
  const { size: freeSize } = compareBytes([freeBytes], reserveBytes);
  const free = `free ${freeSize(freeBytes)} ${short ? '<' : '>='} ${freeSize(reserveBytes)}`;
  const { size } = compareBytes([promisedBytes, reserveBytes], totalBytes);
  const promised = `guests may use ${size(promisedBytes)} + ${size(reserveBytes)} reserve ${leftBytes < 0 ? '>' : '<='} ${size(totalBytes)}`;
  const both = `${promised} and ${free}${short || when === 'needed' ? '' : ' (KSM_WHEN=always)'}`;

  const urgency = needed
    ? urgencyOf(freeBytes / baseBytes, memoryPressurePercent ?? 0, before?.urgent === true)
    : undefined;
  return {
    needed,
    urgent: urgency !== undefined,
    urgency,
    sentence: short && leftBytes >= 0 ? free : leftBytes < 0 && !short ? promised : both,
    working: {
      terms: [
        { name: 'total', value: totalBytes, unit: 'bytes', source: '/proc/meminfo, less hugepage pools' },
        { name: 'free', value: freeBytes, unit: 'bytes', source: '/proc/meminfo, with what can be freed at once' },
        {
          name: 'promised',
          value: promisedBytes,
          unit: 'bytes',
          source: `the configured memory of ${guests.length} running guests`,
        },
        {
          name: 'reserve',
          value: reserveBytes,
          unit: 'bytes',
          source: `KSM_THRES_COEF ${thresholdPercent} %, at least KSM_THRES_CONST${ending ? ', and a quarter more to end merging' : ''}`,
        },
        ...(memoryPressurePercent === undefined ? [] : [pressureTerm(memoryPressurePercent)]),
      ],
      comparisons: [promised, free],
      ...(when === 'always' ? {} : { change: changeOf(leftBytes, freeBytes - reserveBytes) }),
      keys: ['KSM_THRES_COEF', 'KSM_THRES_CONST', 'KSM_WHEN', 'KSM_MEMORY_ACCOUNTING'],
    },
  };
}

function urgencyOf(freePart: number, pressurePercent: number, wasUrgent: boolean): string | undefined {
  const limit = wasUrgent ? 1 : 0;
  if (freePart < URGENT_FREE[limit]) return 'memory is nearly out';
  if (pressurePercent <= URGENT_PRESSURE_PERCENT[limit]) return undefined;
  return `tasks wait for memory ${Math.round(pressurePercent)} % of the time`;
}

function pressureTerm(value: number): Term {
  return { name: 'pressure', value, unit: 'percent', source: '/proc/pressure/memory, some avg10' };
}

/** Hugepage pools are not in the host's memory, so neither is what a guest has of them. */
function promisedTo({ configuredBytes, residentBytes, hugetlbBytes = 0 }: Guest): number {
  return Math.max(configuredBytes - hugetlbBytes, residentBytes);
}

function changeOf(leftBytes: number, spareBytes: number): string {
  if (leftBytes < 0 || spareBytes < 0) {
    const missing = formatBytes(Math.max(-leftBytes, -spareBytes));
    return `${missing} less of guests' memory and merging is no longer needed`;
  }
  return `one more guest of ${formatBytes(leftBytes)}, or ${formatBytes(spareBytes)} less free, and merging begins`;
}
