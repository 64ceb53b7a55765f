// A host whose counters a test sets by hand, for a policy to look at. It does not know how ksmd works.
import type { Decision } from '../../../src/core/decision.js';
import type { Guest } from '../../../src/core/guest.js';
import type { KsmSettings, KsmState } from '../../../src/core/ksm.js';
import { adaptivePolicy } from '../../../src/core/policies/adaptive/policy.js';
import type { AdaptiveMemory, AdaptiveOptions } from '../../../src/core/policies/adaptive/memory.js';
import type { Phase } from '../../../src/core/policies/adaptive/phase.js';
import { type KsmdCounters, ksmdCountersOf } from '../../../src/core/policies/shared/progress.js';
import { type Policy, type PolicyMemory, ownMemory } from '../../../src/core/policy.js';
import type { Trigger } from '../../../src/core/trigger.js';
import type { Sample } from '../../../src/core/sample.js';
import { savingsOf } from '../../../src/core/savings.js';
import { IDLE_KSM, sampleOf } from '../examples/examples.js';

export const MIB = 1024 ** 2;
export const GIB = 1024 ** 3;
/** Pages of 4096 bytes in a MiB. */
export const PAGES_PER_MIB = 256;

export const ADAPTIVE_DEFAULTS: AdaptiveOptions = {
  thresholdPercent: 20,
  thresholdBytes: 2048 * 1024,
  when: 'needed',
  cpuMaxPercent: 50,
  ownsSmartScan: true,
  probeMaxMillis: 600_000,
};

/** KSM of a kernel that has all its files (6.8), after boot. */
export const NEW_KSM: KsmState = {
  ...IDLE_KSM,
  pagesUnshared: 0,
  pagesVolatile: 0,
  fullScans: 0,
  pagesScanned: 0,
  pagesSkipped: 0,
  generalProfit: 0,
  smartScan: 0,
  advisorMode: 'none',
};

/** KSM of Linux 6.1: no general_profit, pages_scanned, smart_scan or advisor. */
export const OLD_KSM: KsmState = { ...IDLE_KSM, pagesUnshared: 0, pagesVolatile: 0, fullScans: 0 };

/** What ksmd did between two looks; counts of pages are changes. */
export interface Work {
  readonly passes?: number;
  readonly cpuMillis?: number;
  readonly scanned?: number;
  readonly skipped?: number;
  /** Pages that merged with one that was there. */
  readonly merged?: number;
  readonly unshared?: number;
  readonly volatile?: number;
}

/** What a look at ksmd at half a core finds after 250 ms: the same, the end of a pass, and of one that brought something. */
export const HALF: Work = { cpuMillis: 125, scanned: 50_000 };
export const PASS: Work = { ...HALF, passes: 1 };
export const GAIN: Work = { ...PASS, merged: 100 * PAGES_PER_MIB };

export const START: Trigger = { kind: 'start' };
export const TIMER: Trigger = { kind: 'timer' };
export const started = (name: string): Trigger => ({ kind: 'guest', event: { change: 'started', name } });
export const stopped = (name: string): Trigger => ({ kind: 'guest', event: { change: 'stopped', name } });
export const manual = (by: string): Trigger => ({ kind: 'manual', by });

export function guestOf(name: string, residentBytes: number, configuredBytes = 4 * GIB): Guest {
  return { name, residentBytes, configuredBytes };
}

/** 16 GiB, of which 10 are free, and four guests that were promised all of it. */
export const PROMISED: Partial<Sample> = {
  memory: { totalBytes: 16 * GIB, freeBytes: 10 * GIB, committedBytes: 4 * GIB },
  guests: ['a', 'b', 'c', 'd'].map((name) => guestOf(name, GIB)),
  ksm: NEW_KSM,
};

/** The same host with two of the guests: there is memory for all. */
export const ROOMY: Partial<Sample> = {
  ...PROMISED,
  memory: { totalBytes: 16 * GIB, freeBytes: 12 * GIB, committedBytes: 2 * GIB },
  guests: ['a', 'b'].map((name) => guestOf(name, GIB)),
};

export class PolicyHost {
  sample: Sample;
  /** ksmd's CPU time; undefined where it cannot be seen. */
  cpuNanos: number | undefined = 0;
  private policy: Policy;
  private memory: PolicyMemory | undefined;

  constructor(policy: Policy, parts: Partial<Sample> = PROMISED) {
    this.policy = policy;
    this.sample = sampleOf({ ...PROMISED, ...parts });
  }

  /** A host under the policy adaptive. */
  static adaptive(parts: Partial<Sample> = {}, options: Partial<AdaptiveOptions> = {}): PolicyHost {
    return new PolicyHost(adaptivePolicy({ ...ADAPTIVE_DEFAULTS, ...options }), { ...PROMISED, ...parts });
  }

  /** The phase that adaptive is in. */
  get phase(): Phase {
    const own = ownMemory<AdaptiveMemory>(this.memory, 'adaptive');
    if (own === undefined) throw new Error('the policy is not adaptive');
    return own.phase;
  }

  get counters(): KsmdCounters {
    return ksmdCountersOf(this.sample);
  }

  reload(policy: Policy): void {
    this.policy = policy;
  }

  change(parts: Partial<Sample>): void {
    this.sample = { ...this.sample, ...parts };
  }

  changeKsm(parts: Partial<KsmState>): void {
    this.change({ ksm: { ...this.sample.ksm, ...parts } });
  }

  /** What the guests' memory is now, by name; the others go. */
  have(residentBytes: Readonly<Record<string, number>>): void {
    this.change({ guests: Object.entries(residentBytes).map(([name, bytes]) => guestOf(name, bytes)) });
  }

  /** `millis` later, ksmd having done `work`. */
  pass(millis: number, work: Work): Sample {
    const { takenAtMillis, monotonicMillis } = this.sample;
    this.change({ takenAtMillis: takenAtMillis + millis, monotonicMillis: monotonicMillis + millis });
    this.work(work);
    const { cpuNanos } = this;
    return { ...this.sample, ...(cpuNanos === undefined ? {} : { ksmdCpuNanos: cpuNanos }) };
  }

  /** `millis` later, ksmd having done `work`, the policy looks; the kernel then has what it decided. */
  look(millis: number, work: Work = {}, ...triggers: readonly Trigger[]): Decision {
    const sample = this.pass(millis, work);
    const [memory, decision] = this.policy.decide(this.memory, sample, triggers.length > 0 ? triggers : [TIMER]);
    this.memory = memory;
    this.apply(decision.settings);
    return decision;
  }

  /** Looks when the policy asked to, while ksmd works at `work` a look, until `isOver`; gives every decision. */
  lookUntil(isOver: (decision: Decision) => boolean, work: Work = {}): Decision[] {
    const decisions: Decision[] = [];
    for (let next = 250; decisions.length < 20_000; next = decisions.at(-1)?.nextInMillis ?? 60_000) {
      const decision = this.look(next, work);
      decisions.push(decision);
      if (isOver(decision)) return decisions;
    }
    throw new Error(`it does not end: ${decisions.at(-1)?.sentence ?? ''}`);
  }

  /** As the kernel takes it: its advisor begins at its least page count, and leaves 100 behind (set_advisor_defaults()). */
  apply(settings: KsmSettings): void {
    const { ksm } = this.sample;
    const known = Object.entries(settings).filter(([setting]) => setting in ksm);
    this.changeKsm(Object.fromEntries(known));
    const { advisorMode, advisorMinPagesToScan = 500 } = this.sample.ksm;
    if (advisorMode === ksm.advisorMode) return;
    this.changeKsm({
      pagesToScan: advisorMode === 'scan-time' ? advisorMinPagesToScan : (settings.pagesToScan ?? 100),
    });
  }

  private work({ passes = 0, cpuMillis = 0, scanned = 0, skipped = 0, merged = 0, ...pages }: Work): void {
    const { ksm, pageSizeBytes } = this.sample;
    const next: KsmState = {
      ...ksm,
      fullScans: (ksm.fullScans ?? 0) + passes,
      pagesSharing: ksm.pagesSharing + merged,
      pagesUnshared: (ksm.pagesUnshared ?? 0) + (pages.unshared ?? 0),
      pagesVolatile: (ksm.pagesVolatile ?? 0) + (pages.volatile ?? 0),
      ...(ksm.pagesScanned === undefined ? {} : { pagesScanned: ksm.pagesScanned + scanned }),
      ...(ksm.pagesSkipped === undefined ? {} : { pagesSkipped: ksm.pagesSkipped + skipped }),
    };
    const { generalProfit, ...summed } = next;
    const profit = generalProfit === undefined ? {} : { generalProfit: savingsOf(summed, pageSizeBytes).profitBytes };
    this.change({ ksm: { ...next, ...profit } });
    if (this.cpuNanos !== undefined) this.cpuNanos += cpuMillis * 1e6;
  }
}

/**
 * A host under adaptive in the middle of its first burst: a million pages seen, 200 MiB merged. The million are rewritten all
 * the time, so that passes alone tell whether there is more to gain.
 */
export function bursting(...options: Parameters<typeof PolicyHost.adaptive>): PolicyHost {
  const host = PolicyHost.adaptive(...options);
  host.look(0, {}, START);
  host.look(250, { ...GAIN, volatile: 1_000_000 });
  host.look(250, GAIN);
  return host;
}

/** The same just after that burst. */
export function watching(...options: Parameters<typeof PolicyHost.adaptive>): PolicyHost {
  const host = bursting(...options);
  for (let pass = 0; pass < 2; pass += 1) host.look(250, PASS);
  if (host.phase.name !== 'watch') throw new Error(`the burst did not end: ${host.phase.name}`);
  return host;
}
