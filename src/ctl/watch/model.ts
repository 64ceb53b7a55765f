import type { GuestMemory } from '../../core/mergeability.js';
import { FAILED, type HistoryDecision, type HistoryGuestEvent, type HistoryRecord } from '../../core/history/record.js';
import { describeHappening, happenings } from '../../core/history/happenings.js';
import type { DaemonProperties, RetuneReply } from '../../api/replies.js';
import { type Reading, WINDOW_MILLIS, withReadings } from './series.js';

/** The kernel's KSM and the host's memory, as they are now; what splits freed, which its counters do not show, is the daemon's to say. */
export interface HostNow extends Reading {
  readonly totalBytes: number;
  readonly run: number;
  readonly pagesToScan: number;
  readonly sleepMillisecs: number;
}

/** What the frame shows of what the daemon says of itself. */
export type DaemonNow = Pick<
  DaemonProperties,
  | 'policy'
  | 'configuredPolicy'
  | 'dryRun'
  | 'hold'
  | 'holdUntilUSec'
  | 'guestCount'
  | 'guestMemoryBytes'
  | 'freedBytes'
  | 'beingFreedBytes'
  | 'libvirtConnected'
> & {
  readonly lastRetune: Pick<
    RetuneReply,
    'sentence' | 'failure' | 'problems' | 'stage' | 'firstSavingsInUSec' | 'endInUSec'
  >;
};

/** What of a guest the frame shows. */
export type GuestNow = Pick<GuestMemory, 'name' | 'residentBytes' | 'mergedBytes' | 'profitBytes'> & {
  readonly mergeability?: GuestMemory['mergeability'];
};

/** A line of what happened. */
export interface LogEntry {
  readonly atMillis: number;
  readonly kind: 'guest' | 'decision' | 'failed' | 'daemon';
  readonly text: string;
  /** Of a decision; those that follow one another with the same reason are one line. */
  readonly reason?: string;
  /** So many decisions are in it. */
  readonly times: number;
}

interface Away {
  readonly why: string;
  /** An error's words, which may be long. */
  readonly detail: string | undefined;
  readonly sinceMillis: number;
}

export interface Notice {
  readonly text: string;
  readonly bad: boolean;
  readonly untilMillis: number;
}

/** All that a frame shows. Plain data: it can be of a real host or of a virtual one. */
export interface WatchState {
  readonly hostName: string;
  readonly nowMillis: number;
  /** How far back the curves go. */
  readonly windowMillis: number;
  readonly host: HostNow | undefined;
  /** Why the kernel's files cannot be read. */
  readonly unreadable: string | undefined;
  /** In the order of their times. */
  readonly readings: readonly Reading[];
  /** As it said last; undefined before it was there. */
  readonly daemon: DaemonNow | undefined;
  /** Why the daemon is not there, and since when; undefined while it is, and before it was asked. */
  readonly away: Away | undefined;
  /** Those of which most is merged first. */
  readonly guests: readonly GuestNow[];
  /** What is not known of the guests, and why. */
  readonly guestNotes: readonly string[];
  /** The newest last. */
  readonly log: readonly LogEntry[];
  readonly notice: Notice | undefined;
  readonly help: boolean;
}

export type WatchEvent =
  | { readonly kind: 'tick'; readonly nowMillis: number }
  | { readonly kind: 'host'; readonly host: HostNow }
  | { readonly kind: 'unreadable'; readonly why: string }
  | { readonly kind: 'history'; readonly records: readonly HistoryRecord[] }
  | { readonly kind: 'daemon'; readonly daemon: DaemonNow }
  | { readonly kind: 'away'; readonly why: string; readonly detail?: string | undefined }
  | { readonly kind: 'retuned'; readonly retune: RetuneReply }
  | { readonly kind: 'guests'; readonly guests: readonly GuestNow[]; readonly notes: readonly string[] }
  | { readonly kind: 'notice'; readonly text: string; readonly bad: boolean }
  | { readonly kind: 'help'; readonly shown: boolean };

const MOST_ENTRIES = 200;
const NOTICE_MILLIS = 4000;
/** A refusal has more to say. */
const COMPLAINT_MILLIS = 15_000;

export function initialWatch(hostName: string, nowMillis: number, windowMillis = WINDOW_MILLIS): WatchState {
  return {
    ...{ hostName, nowMillis, windowMillis, host: undefined, unreadable: undefined, readings: [], daemon: undefined },
    ...{ away: undefined, guests: [], guestNotes: [], log: [], notice: undefined, help: false },
  };
}

export function nextWatch(state: WatchState, event: WatchEvent): WatchState {
  const { nowMillis } = state;
  switch (event.kind) {
    case 'tick':
      return { ...state, nowMillis: event.nowMillis, notice: lasting(state.notice, event.nowMillis) };
    case 'host':
      return withHost(state, event.host);
    case 'unreadable':
      return { ...state, unreadable: event.why };
    case 'history':
      return withHistory(state, event.records);
    case 'daemon':
      return {
        ...state,
        daemon: event.daemon,
        away: undefined,
        log: withReturn(state),
        // What was said while it was away may no longer be true.
        notice: state.away === undefined ? state.notice : undefined,
      };
    case 'away':
      return {
        ...state,
        away: { why: event.why, detail: event.detail, sinceMillis: state.away?.sinceMillis ?? nowMillis },
        log: withLoss(state),
      };
    case 'retuned':
      return { ...state, log: withEntries(state.log, entriesOf(event.retune, nowMillis)) };
    case 'guests':
      return { ...state, guests: event.guests.toSorted(bySavings), guestNotes: event.notes };
    case 'notice':
      return {
        ...state,
        notice: { ...event, untilMillis: nowMillis + (event.bad ? COMPLAINT_MILLIS : NOTICE_MILLIS) },
      };
    case 'help':
      return { ...state, help: event.shown };
  }
}

/** Where the clock was set back, what is ahead of it is of no use. */
function withHost(state: WatchState, host: HostNow): WatchState {
  const isAhead = (state.readings.at(-1)?.atMillis ?? -Infinity) > host.atMillis;
  const before = isAhead ? state.readings.filter(({ atMillis }) => atMillis <= host.atMillis) : state.readings;
  const { freedBytes = 0, beingFreedBytes = 0 } = state.daemon ?? {};
  const reading = { ...host, savedBytes: Math.max(host.savedBytes - beingFreedBytes, 0) + freedBytes };
  return { ...state, host, unreadable: undefined, readings: withReadings(before, [reading], state.windowMillis) };
}

function withHistory(state: WatchState, records: readonly HistoryRecord[]): WatchState {
  const samples = records.filter((record) => record.kind === 'sample');
  const guests = records.filter((record) => record.kind === 'guest');
  const decisions = records.filter((record) => record.kind === 'decision');
  const known = new Set(state.log.map(keyOf));
  const entries = logOf(guests, decisions).filter((entry) => !known.has(keyOf(entry)));
  return {
    ...state,
    readings: withReadings(state.readings, samples, state.windowMillis),
    log: [...state.log, ...entries].toSorted((a, b) => a.atMillis - b.atMillis).slice(-MOST_ENTRIES),
  };
}

function keyOf({ atMillis, text }: LogEntry): string {
  return `${atMillis} ${text}`;
}

function entriesOf(
  { guestEvents = [], policy = '', reason, sentence, routine, failure, changes, realtimeUSec }: RetuneReply,
  now: number,
): readonly LogEntry[] {
  const atMillis = realtimeUSec === undefined ? now : realtimeUSec / 1000;
  const guests = guestEvents.map((event): HistoryGuestEvent => ({ kind: 'guest', atMillis, ...event }));
  const decision = { kind: 'decision', atMillis, policy, changes } as const;
  if (failure !== undefined) return logOf(guests, [{ ...decision, reason: FAILED, sentence: failure }]);
  if (routine === true) return logOf(guests, []);
  return logOf(guests, [{ ...decision, reason: reason ?? '', sentence: sentence ?? 'no decision' }]);
}

function logOf(guests: readonly HistoryGuestEvent[], decisions: readonly HistoryDecision[]): readonly LogEntry[] {
  return happenings(guests, decisions).map((happening): LogEntry => {
    const entry = { atMillis: happening.atMillis, text: describeHappening(happening), times: 1 };
    if (happening.kind === 'guests') return { ...entry, kind: 'guest' };
    const { policy, reason } = happening;
    return { ...entry, kind: reason === FAILED ? 'failed' : 'decision', reason: `${policy} ${reason}` };
  });
}

/** A decision with the reason of the last line takes its place: a policy in a burst decides twice a second. */
function withEntries(log: readonly LogEntry[], entries: readonly LogEntry[]): readonly LogEntry[] {
  return entries
    .reduce((before, entry) => {
      const last = before.at(-1);
      if (last?.reason === undefined || last.reason !== entry.reason) return [...before, entry];
      return [...before.slice(0, -1), { ...entry, times: last.times + 1 }];
    }, log)
    .slice(-MOST_ENTRIES);
}

function withLoss({ log, away, daemon, nowMillis }: WatchState): readonly LogEntry[] {
  if (away !== undefined || daemon === undefined) return log;
  return withEntries(log, [{ atMillis: nowMillis, kind: 'daemon', text: 'samepaged has stopped', times: 1 }]);
}

function withReturn({ log, away, nowMillis }: WatchState): readonly LogEntry[] {
  if (away === undefined) return log;
  return withEntries(log, [{ atMillis: nowMillis, kind: 'daemon', text: 'samepaged runs again', times: 1 }]);
}

function bySavings(a: GuestNow, b: GuestNow): number {
  return (b.mergedBytes ?? -1) - (a.mergedBytes ?? -1) || a.name.localeCompare(b.name);
}

function lasting(notice: Notice | undefined, nowMillis: number): Notice | undefined {
  return notice !== undefined && notice.untilMillis > nowMillis ? notice : undefined;
}
