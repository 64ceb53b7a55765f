import { type Hold, inForce } from './hold.js';
import { type KsmState, savedBytes } from './ksm.js';
import type { Retune } from './retune.js';

/** What the agent shows of itself: the bus's properties, and with them the command's screens. */
export interface AgentState {
  readonly version: string;
  readonly policy: string;
  readonly run: number;
  readonly pagesToScan: number;
  readonly sleepMillisecs: number;
  readonly savedBytes: number;
  readonly guestCount: number;
  readonly libvirtConnected: boolean;
  readonly dryRun: boolean;
  /** An administrator's hold; undefined when the policy decides. */
  readonly hold: Hold | undefined;
  /** The last turn of the loop; undefined before the first. */
  readonly lastRetune: Retune | undefined;
}

/** The state before anything was looked at. */
export function initialState(fixed: Pick<AgentState, 'version' | 'policy' | 'dryRun'>): AgentState {
  return {
    ...fixed,
    run: 0,
    pagesToScan: 0,
    sleepMillisecs: 0,
    savedBytes: 0,
    guestCount: 0,
    libvirtConnected: false,
    hold: undefined,
    lastRetune: undefined,
  };
}

/** What changes the state: a turn of the loop, libvirt that came or went, a hold that was set or ended. */
export type News = { retune: Retune } | { libvirtConnected: boolean } | { hold: Hold | undefined };

export function nextState(state: AgentState, news: News): AgentState {
  if (!('retune' in news)) return { ...state, ...news };
  const { retune } = news;
  const next = { ...state, policy: retune.policy, lastRetune: retune };
  if ('failure' in retune) return next;
  const { run, pagesToScan, sleepMillisecs } = kernelAfter(retune, state.dryRun);
  return {
    ...next,
    hold: inForce(state.hold, retune.sample.takenAtMillis),
    run,
    pagesToScan,
    sleepMillisecs,
    savedBytes: savedBytes(retune.sample.ksm, retune.sample.pageSizeBytes),
    guestCount: retune.sample.guests.length,
  };
}

function kernelAfter({ sample, applied }: Extract<Retune, { sample: unknown }>, dryRun: boolean): KsmState {
  if (dryRun) return sample.ksm;
  return applied.writes.reduce((ksm, { setting, to }) => ({ ...ksm, [setting]: to }), sample.ksm);
}
