import type { Reason } from '../core/decision.js';
import { type KsmSettings, type KsmWrite, changedByOthers, settingsOf } from '../core/ksm.js';
import type { Trigger } from '../core/trigger.js';
import type { Retune } from '../core/retune.js';

/** What can be connected to, and lost. */
export const PEERS = ['bus', 'libvirt'] as const;
export type Peer = (typeof PEERS)[number];

/** Upper bounds of the classes of event-to-applied times, seconds: 0.25 s is KSM_EVENT_SETTLE, the last is a hanging libvirt. */
const LATENCY_BOUNDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** How often something took how long. */
export interface Latencies {
  /** Upper bound of each class in seconds, with how many took no longer. */
  readonly upTo: readonly (readonly [bound: number, count: number])[];
  readonly count: number;
  readonly sumSeconds: number;
}

export interface Connection {
  readonly isUp: boolean;
  /** Whether it was up at any time before. */
  readonly wasUp: boolean;
  readonly reconnects: number;
}

/** What happened since samepaged started, in numbers that only grow, and what the next event is compared with. */
export interface Tally {
  readonly dryRun: boolean;
  /** By the trigger that came first. */
  readonly retunes: Readonly<Record<Trigger['kind'], number>>;
  readonly failedRetunes: number;
  readonly decisions: Readonly<Record<Reason, number>>;
  readonly latencies: Latencies;
  readonly writes: number;
  readonly failedWrites: number;
  /** Writes of the value that samepaged had written to the same setting before. */
  readonly repeatedWrites: number;
  readonly changesByOthers: number;
  /** Of a peer that is not used, nothing. */
  readonly connections: Readonly<Partial<Record<Peer, Connection>>>;
  /** The last retune with a decision. */
  readonly last: DecidedRetune | undefined;
  /** What samepaged wrote last to each setting. */
  readonly written: KsmSettings;
}

export type DecidedRetune = Extract<Retune, { sample: unknown }>;

export interface RetuneTally {
  readonly retune: Retune;
  /** From the arrival of each guest event in it to now, seconds. */
  readonly latencies: readonly number[];
}

/** What is counted. */
export type Countable = RetuneTally | { readonly peer: Peer; readonly isUp: boolean };

export function firstTally(dryRun: boolean): Tally {
  return {
    dryRun,
    retunes: { start: 0, timer: 0, reload: 0, manual: 0, guest: 0, recheck: 0 },
    failedRetunes: 0,
    decisions: {
      'enough-memory': 0,
      'free-below-reserve': 0,
      'free-at-reserve': 0,
      'committed-above-total': 0,
      always: 0,
      'guests-settling': 0,
      burst: 0,
      probe: 0,
      'nothing-to-gain': 0,
      'costs-more-than-it-saves': 0,
      advised: 0,
      paused: 0,
      stopped: 0,
      unmerged: 0,
      estimating: 0,
    },
    latencies: { upTo: LATENCY_BOUNDS.map((bound) => [bound, 0]), count: 0, sumSeconds: 0 },
    writes: 0,
    failedWrites: 0,
    repeatedWrites: 0,
    changesByOthers: 0,
    connections: {},
    last: undefined,
    written: {},
  };
}

export function nextTally(tally: Tally, event: Countable): Tally {
  if ('peer' in event) {
    const connection = nextConnection(tally.connections[event.peer], event.isUp);
    return { ...tally, connections: { ...tally.connections, [event.peer]: connection } };
  }
  const { retune, latencies } = event;
  const [first] = retune.triggers;
  const retunes = first === undefined ? tally.retunes : plusOne(tally.retunes, first.kind);
  if ('failure' in retune) return { ...tally, retunes, failedRetunes: tally.failedRetunes + 1 };
  const decided = { ...tally, retunes, decisions: plusOne(tally.decisions, retune.decision.reason), last: retune };
  return tally.dryRun
    ? decided
    : { ...decided, ...writesOf(tally, retune), latencies: withLatencies(tally, latencies) };
}

function nextConnection(before: Connection | undefined, isUp: boolean): Connection {
  const { wasUp, reconnects } = before ?? { wasUp: false, reconnects: 0 };
  const isBack = isUp && wasUp && before?.isUp === false;
  return { isUp, wasUp: wasUp || isUp, reconnects: reconnects + (isBack ? 1 : 0) };
}

function writesOf(tally: Tally, { sample, applied }: DecidedRetune): Partial<Tally> {
  const { writes, failed = [] } = applied;
  const repeated = writes.filter(({ setting, to }) => tally.written[setting] === to);
  const foreign = tally.last === undefined ? [] : changedByOthers(leftBy(tally.last), sample.ksm);
  // The kernel's advisor sets pages_to_scan by itself.
  const changed = foreign.filter(({ setting }) => setting !== 'pagesToScan' || sample.ksm.advisorMode !== 'scan-time');
  return {
    writes: tally.writes + writes.length,
    failedWrites: tally.failedWrites + failed.length,
    repeatedWrites: tally.repeatedWrites + repeated.length,
    changesByOthers: tally.changesByOthers + changed.length,
    written: { ...tally.written, ...asSettings(writes) },
  };
}

/** The kernel's settings as a retune left them. */
function leftBy({ sample, applied }: DecidedRetune): KsmSettings {
  return { ...settingsOf(sample.ksm), ...asSettings(applied.writes) };
}

function asSettings(writes: readonly KsmWrite[]): KsmSettings {
  return Object.fromEntries(writes.map(({ setting, to }) => [setting, to]));
}

function withLatencies({ latencies }: Tally, seconds: readonly number[]): Latencies {
  return {
    upTo: latencies.upTo.map(([bound, count]) => [bound, count + seconds.filter((time) => time <= bound).length]),
    count: latencies.count + seconds.length,
    sumSeconds: seconds.reduce((sum, time) => sum + time, latencies.sumSeconds),
  };
}

function plusOne<Name extends string>(counts: Readonly<Record<Name, number>>, name: Name): Record<Name, number> {
  return { ...counts, [name]: counts[name] + 1 };
}
