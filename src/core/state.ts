import { residentBytesOf } from './guest.js';
import { type Hold, inForce } from './hold.js';
import type { KsmState } from './ksm.js';
import type { Retune } from './retune.js';
import { type Sample, savingsOfSample } from './sample.js';
import { type Savings, savingsOf } from './savings.js';

/** What the agent shows of itself: the bus's properties, and with them the command's screens. */
export interface AgentState {
  readonly version: string;
  /** The policy in force. */
  readonly policy: string;
  /** The policy that the configuration names; another one is in force where it was set by hand. */
  readonly configuredPolicy: string;
  /** The file that the configuration is read from; FILE.d/*.conf follow it. */
  readonly configFile: string;
  readonly run: number;
  readonly pagesToScan: number;
  readonly sleepMillisecs: number;
  readonly savings: Savings;
  /** Pages saved for each page that is kept for all (pages_sharing / pages_shared); 0 while nothing is shared. */
  readonly sharingRatio: number;
  /** ksmd's CPU time between the last two retunes, as percent of one core; undefined where that is not known. */
  readonly ksmdCpuPercent: number | undefined;
  /** What the host could hand out without swapping (MemAvailable). */
  readonly availableBytes: number;
  readonly guestCount: number;
  /** The guests' memory that is in RAM, merged pages counted for each guest that has them. */
  readonly guestMemoryBytes: number;
  readonly libvirtConnected: boolean;
  readonly dryRun: boolean;
  /** An administrator's hold; undefined when the policy decides. */
  readonly hold: Hold | undefined;
  /** Undefined before the first. */
  readonly lastRetune: Retune | undefined;
  /** When the next retune comes if nothing happens before, milliseconds since 1970; undefined before the first. */
  readonly nextRetuneMillis: number | undefined;
  /** The retune from which ksmd's CPU time is counted; undefined where it does not show. */
  readonly cpuMark: CpuMark | undefined;
}

export type CpuMark = Pick<Sample, 'monotonicMillis'> & { readonly ksmdCpuNanos: number };

/** Retunes that follow each other more closely tell nothing of ksmd's CPU time: it sleeps and works in turns. */
const LEAST_CPU_SPAN_MILLIS = 200;

const NOTHING_MERGED: KsmState = { run: 0, pagesToScan: 0, sleepMillisecs: 0, pagesShared: 0, pagesSharing: 0 };

/** The state before anything was looked at. */
export function initialState(
  fixed: Pick<AgentState, 'version' | 'policy' | 'configuredPolicy' | 'configFile' | 'dryRun'>,
): AgentState {
  return {
    ...fixed,
    run: 0,
    pagesToScan: 0,
    sleepMillisecs: 0,
    savings: savingsOf(NOTHING_MERGED, 1),
    sharingRatio: 0,
    ksmdCpuPercent: undefined,
    availableBytes: 0,
    guestCount: 0,
    guestMemoryBytes: 0,
    libvirtConnected: false,
    hold: undefined,
    lastRetune: undefined,
    nextRetuneMillis: undefined,
    cpuMark: undefined,
  };
}

/** A retune, and when it was done. */
export interface RetuneDone {
  readonly retune: Retune;
  readonly doneAtMillis: number;
}

/** What changes the state: a retune, libvirt that is connected or away, an administrator's word. */
export type StateChange =
  RetuneDone | Pick<AgentState, 'libvirtConnected'> | Pick<AgentState, 'hold' | 'configuredPolicy'>;

export function nextState(state: AgentState, change: StateChange): AgentState {
  if (!('retune' in change)) return { ...state, ...change };
  const { retune, doneAtMillis } = change;
  const next = {
    ...state,
    policy: retune.policy,
    lastRetune: retune,
    nextRetuneMillis: doneAtMillis + retune.nextInMillis,
  };
  if ('failure' in retune) return next;
  const { sample } = retune;
  const { run, pagesToScan, sleepMillisecs } = kernelAfter(retune, state.dryRun);
  const { ksm, guests } = sample;
  return {
    ...next,
    ...ksmdCpu(state, sample),
    hold: inForce(state.hold, sample.takenAtMillis),
    run,
    pagesToScan,
    sleepMillisecs,
    savings: savingsOfSample(sample),
    sharingRatio: ksm.pagesShared > 0 ? ksm.pagesSharing / ksm.pagesShared : 0,
    availableBytes: sample.availableBytes ?? state.availableBytes,
    guestCount: guests.length,
    guestMemoryBytes: residentBytesOf(guests),
  };
}

function kernelAfter({ sample, applied }: Extract<Retune, { sample: unknown }>, dryRun: boolean): KsmState {
  if (dryRun) return sample.ksm;
  return applied.writes.reduce((ksm, { setting, to }) => ({ ...ksm, [setting]: to }), sample.ksm);
}

/** A counter that is not there, or goes backwards, begins the count again. */
function ksmdCpu(
  { cpuMark, ksmdCpuPercent }: AgentState,
  { monotonicMillis, ksmdCpuNanos }: Sample,
): Pick<AgentState, 'cpuMark' | 'ksmdCpuPercent'> {
  if (ksmdCpuNanos === undefined) return { cpuMark: undefined, ksmdCpuPercent: undefined };
  const begin = { cpuMark: { monotonicMillis, ksmdCpuNanos }, ksmdCpuPercent: undefined };
  if (cpuMark === undefined) return begin;
  const usedMillis = (ksmdCpuNanos - cpuMark.ksmdCpuNanos) / 1e6;
  const passedMillis = monotonicMillis - cpuMark.monotonicMillis;
  if (usedMillis < 0 || passedMillis < 0) return begin;
  if (passedMillis < LEAST_CPU_SPAN_MILLIS) return { cpuMark, ksmdCpuPercent };
  // ksmd is one thread; what is above 100 comes from reading two clocks one after the other.
  return { ...begin, ksmdCpuPercent: Math.min((usedMillis / passedMillis) * 100, 100) };
}
