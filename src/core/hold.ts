import type { KsmState } from './ksm.js';
import { savedBytes } from './ksm.js';
import { type MemoryFigures, availableBytesOf } from './memory.js';
import { formatBytes } from './format.js';
import type { Policy } from './policy.js';

/**
 * An administrator's word against the policy: `paused` and `stopped` keep ksmd stopped (run=0: what is shared stays
 * shared), `unmerged` undoes all merging and keeps it undone (run=2).
 */
export interface Hold {
  readonly kind: 'paused' | 'stopped' | 'unmerged';
  /** When it ends by itself, milliseconds since 1970; absent: when somebody resumes. */
  readonly untilMillis?: number;
}

/** The history goes on meanwhile. */
const LONGEST_WAIT_MILLIS = 60_000;

const REST: Readonly<Record<Hold['kind'], string>> = {
  paused: 'paused by hand',
  stopped: 'stopped by hand, what is shared stays shared',
  unmerged: 'everything is unmerged by hand',
};

/** The hold, unless it has ended by itself. */
export function inForce(hold: Hold | undefined, nowMillis: number): Hold | undefined {
  return hold?.untilMillis !== undefined && hold.untilMillis <= nowMillis ? undefined : hold;
}

/** `policy` as long as `hold` lasts: merging rests, the policy is not asked and its memory stays as it is. */
export function holdPolicy(policy: Policy, hold: Hold): Policy {
  return {
    name: policy.name,
    decide(memory, sample, triggers) {
      const leftMillis = hold.untilMillis === undefined ? undefined : hold.untilMillis - sample.takenAtMillis;
      if (leftMillis !== undefined && leftMillis <= 0) return policy.decide(memory, sample, triggers);
      const ending =
        leftMillis === undefined
          ? 'until samepagectl resume'
          : `for another ${formatDuration(leftMillis)}, or until samepagectl resume`;
      return [
        memory,
        {
          reason: hold.kind,
          sentence: `${REST[hold.kind]}: not merging ${ending}`,
          settings: { run: hold.kind === 'unmerged' ? 2 : 0 },
          ...(leftMillis === undefined ? {} : { nextInMillis: Math.min(leftMillis, LONGEST_WAIT_MILLIS) }),
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
 * Swap does not count: the kernel would have to swap as fast as it unmerges.
 */
export function unmergeObstacle(ksm: KsmState, memory: MemoryFigures, pageSizeBytes: number): string | undefined {
  const needed = savedBytes(ksm, pageSizeBytes);
  const available = availableBytesOf(memory);
  if (needed <= available * (1 - UNMERGE_MARGIN)) return undefined;
  return `unmerging needs ${formatBytes(needed)}; ${formatBytes(available)} are available, of which a tenth must stay free`;
}

const UNIT_SECONDS = { d: 86400, h: 3600, m: 60, s: 1 } as const;

/** "90s", "10m", "2h30m", "1d", or seconds as a bare number, in milliseconds; undefined for anything else, and for 0. */
export function parseDuration(text: string): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000 || undefined;
  if (!/^(\d{1,6}[dhms])+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+)([dhms])/g)];
  const seconds = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS],
    0,
  );
  return seconds * 1000 || undefined;
}

/** "45 s", "1 min 30 s", "2 h 30 min": the two largest units, rounded up to whole seconds. */
export function formatDuration(millis: number): string {
  let left = Math.ceil(millis / 1000);
  const parts = (
    [
      ['d', 86400],
      ['h', 3600],
      ['min', 60],
      ['s', 1],
    ] as const
  ).map(([unit, seconds]) => {
    const count = Math.trunc(left / seconds);
    left -= count * seconds;
    return { count, text: `${count} ${unit}` };
  });
  const first = parts.findIndex(({ count }) => count > 0);
  if (first < 0) return '0 s';
  const [largest, next] = parts.slice(first, first + 2);
  return [largest, next].flatMap((part) => (part !== undefined && part.count > 0 ? [part.text] : [])).join(' ');
}
