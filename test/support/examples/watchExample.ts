// A morning that the tests of samepagectl watch look at: thirteen guests start, and their memory is merged.
import type { GuestMemory } from '../../../src/core/mergeability.js';
import type { HistoryDecision, HistoryGuestEvent } from '../../../src/core/history/record.js';
import {
  initialWatch,
  nextWatch,
  type HostNow,
  type WatchEvent,
  type WatchState,
} from '../../../src/ctl/watch/model.js';
import { GIB, MIB, PROPERTIES, REPLY } from './ctlExamples.js';

/** The local clock shows 09:30:00, wherever the tests run. */
export const MORNING = new Date(2026, 0, 5, 9, 30).getTime();

const MINUTE = 60_000;
const SCANNED_BEFORE = 40_000_000;

/** The host `seconds` after half past nine, or before: ksmd begins to work seven minutes before. */
export function hostAt(seconds: number): HostNow {
  const atMillis = MORNING + seconds * 1000;
  const worked = Math.max(seconds + 420, 0);
  const share = 1 - Math.exp(-worked / 140);
  return {
    atMillis,
    savedBytes: Math.round(12.5 * GIB * share),
    freeBytes: Math.round(1.1 * GIB + 12.5 * GIB * share + GIB * Math.sin(seconds / 40) * 0.1),
    totalBytes: 23.5 * GIB,
    ksmdCpuNanos: Math.round(81e9 + (1 - Math.exp(-worked / 200)) * 130e9),
    pagesScanned: Math.round(SCANNED_BEFORE + (1 - Math.exp(-worked / 200)) * 9_000_000),
    run: 1,
    pagesToScan: 1250,
    sleepMillisecs: 10,
  };
}

const GUESTS: readonly GuestMemory[] = Array.from({ length: 13 }, (_, at) => ({
  id: `${1000 + at}.1`,
  name: `web${String(at + 1).padStart(2, '0')}`,
  pid: 1000 + at,
  manager: 'libvirt',
  vmId: undefined,
  cgroup: undefined,
  stranger: undefined,
  configuredBytes: 1536 * MIB,
  residentBytes: (1500 - at) * MIB,
  mergeability:
    at === 11
      ? { mergeable: false, obstacles: ['hugepages'], locked: false }
      : { mergeable: true, obstacles: [], locked: false },
  mergedPages: at === 11 ? 0 : (1024 - 12 * at) * 256,
  mergedBytes: at === 11 ? 0 : (1024 - 12 * at) * MIB,
  freedBytes: undefined,
  profitBytes: at === 12 ? -3 * MIB : (1000 - 12 * at) * MIB,
}));

function started(minutes: number, names: readonly string[]): readonly HistoryGuestEvent[] {
  return names.map((name) => ({ kind: 'guest', atMillis: MORNING - minutes * MINUTE, name, change: 'started' }));
}

function decided(minutes: number, reason: string, sentence: string): HistoryDecision {
  return { kind: 'decision', atMillis: MORNING - minutes * MINUTE, policy: 'ksmtuned', reason, sentence, changes: [] };
}

const SHORT =
  'guests use 19.5 GiB + 4.7 GiB reserve > 23.5 GiB: merging; free 1.1 GiB < 4.7 GiB: faster by 300 (1250 pages every 10 ms)';

/** What was recorded before half past nine: a sample in ten seconds. */
const RECORDED: WatchEvent = {
  kind: 'history',
  records: [
    ...Array.from({ length: 58 }, (_, at) => {
      const sample = hostAt(-580 + at * 10);
      return {
        kind: 'sample',
        ...sample,
        freedBytes: 0,
        committedBytes: 19.5 * GIB,
        guestCount: 13,
        profitBytes: undefined,
      } as const;
    }),
    decided(
      9.6,
      'enough-memory',
      'guests use 1.5 GiB + 4.7 GiB reserve < 23.5 GiB and free 20.9 GiB > 4.7 GiB: not merging',
    ),
    ...started(
      7,
      Array.from({ length: 12 }, (_, at) => `web${String(at + 1).padStart(2, '0')}`),
    ),
    decided(7, 'free-below-reserve', SHORT),
    ...started(1, ['web13']),
  ],
};

/** As it is at half past nine. */
export const EVENTS: readonly WatchEvent[] = [
  { kind: 'tick', nowMillis: MORNING },
  RECORDED,
  { kind: 'host', host: hostAt(-2) },
  { kind: 'host', host: hostAt(-1) },
  {
    kind: 'daemon',
    daemon: { ...PROPERTIES, lastRetune: { ...REPLY, sentence: SHORT.replace('1.1 GiB', '3.1 GiB') } },
  },
  { kind: 'guests', guests: GUESTS, notes: [] },
  ...[40, 20].map((seconds): WatchEvent => ({
    kind: 'retuned',
    retune: {
      ...REPLY,
      triggers: ['timer'],
      reason: 'committed-above-total',
      realtimeUSec: (MORNING - seconds * 1000) * 1000,
    },
  })),
];

export function stateAfter(...more: readonly WatchEvent[]): WatchState {
  return [...EVENTS, ...more].reduce(nextWatch, initialWatch('kvm7', MORNING));
}
