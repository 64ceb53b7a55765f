import { type MemoryFigures, availableBytesOf, describeAvailable } from './memory.js';
import { formatDuration } from './duration.js';
import { formatBytes } from './format.js';
import type { Policy } from './policy.js';
import type { Savings } from './savings.js';

/** What an administrator can have the policy rest for, in a sentence. */
const REST = {
  paused: 'paused by hand',
  stopped: 'stopped by hand, shared pages stay shared',
  unmerged: 'everything is unmerged by hand',
} as const;

/**
 * An administrator's word against the policy, which rests: `paused` and `stopped` keep ksmd stopped (run=0: what is shared stays
 * shared), `unmerged` undoes all merging and keeps it undone (run=2).
 */
export interface RestingHold {
  readonly kind: keyof typeof REST;
  /** `unmerged` whatever the memory. Not kept over a restart: what there is to unmerge then was not known. */
  readonly isForced?: boolean;
  /** When it ends by itself, milliseconds since 1970; absent: when somebody resumes. */
  readonly untilMillis?: number;
}

/** One burst, to see what merging would save here; ksmd rests after it. It ends with the process. */
export interface EstimateHold {
  readonly kind: 'estimating';
  /** How long ksmd may run at most, in milliseconds. */
  readonly longestMillis: number;
  /** When the policy decides again, whoever asked has gone by then. */
  readonly untilMillis: number;
}

export type Hold = RestingHold | EstimateHold;

/** The kinds of a hold that outlives the process. */
export const RESTING_KINDS = Object.keys(REST) as readonly RestingHold['kind'][];
export const HOLD_KINDS: readonly Hold['kind'][] = [...RESTING_KINDS, 'estimating'];

/** The history goes on meanwhile. */
const LONGEST_WAIT_MILLIS = 60_000;

/** The hold, unless it has ended by itself. */
export function inForce(hold: Hold | undefined, nowMillis: number): Hold | undefined {
  return hold?.untilMillis !== undefined && hold.untilMillis <= nowMillis ? undefined : hold;
}

/**
 * `policy` under a hold: merging rests, the policy is not asked and its memory stays as it is. Where the hold ends by itself
 * this decides again then, and rests until there is a plan without it.
 */
export function holdPolicy(policy: Policy, hold: RestingHold): Policy {
  return {
    name: policy.name,
    decide(memory, sample) {
      const leftMillis = hold.untilMillis === undefined ? undefined : hold.untilMillis - sample.takenAtMillis;
      const ends = leftMillis !== undefined && leftMillis > 0;
      const ending = ends
        ? `for another ${formatDuration(leftMillis)}, or until somebody resumes`
        : leftMillis === undefined
          ? 'until somebody resumes'
          : 'until now';
      return [
        memory,
        {
          reason: hold.kind,
          sentence: `${REST[hold.kind]}: not merging ${ending}`,
          settings: { run: hold.kind === 'unmerged' ? 2 : 0 },
          ...(hold.isForced === true ? { isForced: true } : {}),
          ...(ends ? { nextInMillis: Math.min(leftMillis, LONGEST_WAIT_MILLIS) } : {}),
        },
      ];
    },
  };
}

/** Unmerging leaves this part of the available memory free: guests go on allocating meanwhile. */
const UNMERGE_MARGIN = 0.1;

/**
 * Why unmerging everything could take the host out of memory, with the figures; undefined when it fits. Every merged page
 * becomes a page of its own at once (run=2 does not return before that), so what is saved must fit into available memory.
 * What splits of huge pages freed does not come back by it, but guests may write there at any time: it counts as well.
 * Swap does not count: the kernel would have to swap as fast as it unmerges.
 */
export function unmergeObstacle({ savedBytes, freedBytes }: Savings, memory: MemoryFigures): string | undefined {
  const available = availableBytesOf(memory);
  if (savedBytes <= available * (1 - UNMERGE_MARGIN)) return undefined;
  const needed = `unmerging needs ${formatBytes(savedBytes - freedBytes)}`;
  const freed =
    freedBytes > 0 ? `, and guests may use ${formatBytes(freedBytes)} again that splits of huge pages freed` : '';
  return `${needed}${freed}; ${describeAvailable(memory)} are available, of which a tenth must stay free`;
}

/**
 * Why unmerging one guest could take the host out of memory; undefined when it fits, as unmergeObstacle has it.
 *
 * @param bytes the most that the guest's pages can take.
 */
export function guestObstacle(guest: string, bytes: number, memory: MemoryFigures): string | undefined {
  const available = availableBytesOf(memory);
  if (bytes <= available * (1 - UNMERGE_MARGIN)) return undefined;
  return `unmerging guest ${guest} needs up to ${formatBytes(bytes)}; ${describeAvailable(memory)} are available, of which a tenth must stay free`;
}
