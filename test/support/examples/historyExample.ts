// A host's course as its history would hold it: the same in every run, and near enough to a real one to be looked at.
import type {
  HistoryDecision,
  HistoryGuestEvent,
  HistoryRecord,
  HistorySample,
} from '../../../src/core/history/record.js';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const MINUTE = 60_000;
const TOTAL = 31_950 * MIB;
const RESERVE = TOTAL / 5;
const GUEST = 2.1 * GIB;
const COMMON = 1.05 * GIB;

/** A guest that comes or goes, in minutes since the beginning. */
export interface Change {
  readonly minute: number;
  readonly change: 'started' | 'stopped' | 'crashed';
  readonly name: string;
}

export interface Course {
  readonly fromMillis: number;
  readonly minutes: number;
  /** From one sample to the next, in minutes. */
  readonly every: number;
  readonly changes: readonly Change[];
  /** When samepaged did not run, in minutes. */
  readonly gap?: readonly [number, number];
}

/** Five guests at first. ksmd merges when less than the reserve is free, and rests when memory is enough. */
export function trajectoryOf({
  fromMillis,
  minutes,
  every,
  changes,
  gap = [-1, -1],
}: Course): readonly HistoryRecord[] {
  const records: HistoryRecord[] = [];
  let [seed, saved, cpuNanos, scanned, run, guests, reason] = [7, 3.6 * GIB, 81.65e9, 4_200_000, 0, 5, ''];
  const noise = () => (seed = (seed * 16807) % 2147483647) / 2147483647 - 0.5;
  const pending = changes.toSorted((a, b) => a.minute - b.minute);
  for (let minute = 0; minute <= minutes; minute += every) {
    const atMillis = fromMillis + minute * MINUTE;
    const events: HistoryGuestEvent[] = [];
    for (let next = pending[0]; next !== undefined && next.minute <= minute; next = pending[0]) {
      pending.shift();
      guests += next.change === 'started' ? 1 : -1;
      if (next.change !== 'started') saved *= guests / (guests + 1);
      events.push({ kind: 'guest', atMillis: fromMillis + next.minute * MINUTE, name: next.name, change: next.change });
    }
    const possible = Math.max(guests - 1, 0) * COMMON;
    const burst = run === 1 && possible - saved > 100 * MIB;
    if (run === 1) saved += (possible - saved) * (1 - Math.exp(-every / 6));
    const committed = guests * GUEST;
    const free = TOTAL - 2.4 * GIB - committed + saved + noise() * 0.25 * GIB + Math.sin(minute / 95) * 0.5 * GIB;
    const share = run === 0 ? 0 : burst ? 0.55 + noise() * 0.1 : 0.025 + noise() * 0.02;
    cpuNanos += Math.round(share * every * 60e9);
    scanned += Math.round(share * every * 60 * 400_000);
    const before = run;
    const short = committed + RESERVE > TOTAL || free < RESERVE;
    run = short ? 1 : 0;
    const now = free < RESERVE ? 'free-below-reserve' : short ? 'committed-above-total' : 'enough-memory';
    if (minute >= gap[0] && minute < gap[1]) continue;
    records.push(...events);
    if (now !== reason) records.push(decisionOf(atMillis, now, free, committed, before, run));
    reason = now;
    const counters = {
      freedBytes: 0,
      profitBytes: Math.round(saved * 0.985),
      ksmdCpuNanos: cpuNanos,
      pagesScanned: scanned,
    };
    const sample: HistorySample = {
      ...{ kind: 'sample', atMillis, savedBytes: Math.round(saved), freeBytes: Math.round(free), totalBytes: TOTAL },
      ...{ committedBytes: Math.round(committed), guestCount: guests, run, ...counters },
    };
    records.push(sample);
  }
  return records;
}

function decisionOf(
  atMillis: number,
  reason: string,
  free: number,
  committed: number,
  before: number,
  run: number,
): HistoryDecision {
  const figures = `guests use ${(committed / GIB).toFixed(1)} GiB + ${(RESERVE / GIB).toFixed(1)} GiB reserve`;
  const then = run === 1 ? 'merging, faster by 300 pages' : 'not merging';
  const sentence = `${figures} of ${(TOTAL / GIB).toFixed(1)} GiB, free ${(free / GIB).toFixed(1)} GiB: ${then}`;
  const changes = before === run ? [] : [`run ${before} -> ${run}`];
  return { kind: 'decision', atMillis, policy: 'ksmtuned', reason, sentence, changes };
}

/** A working day: guests in the morning, two batches of builders, one crash, fewer at night. */
export function exampleDay(fromMillis: number, every = 1): readonly HistoryRecord[] {
  const batch = (minute: number, minutes: number, count: number): Change[] =>
    Array.from({ length: count }, (_, index) => `build${String(index + 1).padStart(2, '0')}`).flatMap((name, index) => [
      { minute: minute + index * 0.1, change: 'started', name },
      { minute: minute + minutes + index * 2.5, change: 'stopped', name },
    ]);
  const changes: Change[] = [
    { minute: 35, change: 'started', name: 'web03' },
    { minute: 62, change: 'started', name: 'web04' },
    { minute: 95, change: 'started', name: 'desktop-anna' },
    { minute: 150, change: 'started', name: 'desktop-bjorn' },
    ...batch(245, 150, 5),
    { minute: 530, change: 'stopped', name: 'desktop-anna' },
    { minute: 570, change: 'crashed', name: 'web03' },
    { minute: 573, change: 'started', name: 'web03' },
    { minute: 640, change: 'stopped', name: 'desktop-bjorn' },
    ...batch(900, 95, 8),
  ];
  return trajectoryOf({ fromMillis, minutes: 1440, every, changes, gap: [1130, 1180] });
}

/** Four weeks of such days, thinned as they are after a day. */
export function exampleMonth(fromMillis: number): readonly HistoryRecord[] {
  const changes = Array.from({ length: 28 }, (_, day) => day * 1440).flatMap((start, day): Change[] =>
    Array.from({ length: day % 7 >= 5 ? 1 : 5 + ((day * 5) % 4) }, (_, index): Change[] => {
      const name = `desktop${index + 1}`;
      return [
        { minute: start + 60 + index * 17, change: 'started', name },
        { minute: start + 560 + index * 23, change: 'stopped', name },
      ];
    }).flat(),
  );
  return trajectoryOf({ fromMillis, minutes: 28 * 1440, every: 5, changes, gap: [16000, 17900] });
}
