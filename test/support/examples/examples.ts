// What the unit tests begin from: a kernel, a host and a configuration that nobody has touched.
import { planOf } from '../../../src/config/plan.js';
import type { Plan } from '../../../src/core/retune.js';
import { KEYS, type KeyName, type Values, readValue } from '../../../src/config/keys.js';
import type { KsmState } from '../../../src/core/ksm.js';
import { type PolicyMemory, ownMemory } from '../../../src/core/policy.js';
import type { KsmtunedMemory, KsmtunedOptions } from '../../../src/core/policies/ksmtuned/options.js';
import type { KsmdSchedMemory } from '../../../src/core/policies/shared/ksmdSched.js';
import type { ZeroPagesMemory } from '../../../src/core/policies/shared/zeroPages.js';
import type { Sample } from '../../../src/core/sample.js';

/** KSM after boot, as far as every kernel has it. */
export const IDLE_KSM: KsmState = { run: 0, pagesToScan: 100, sleepMillisecs: 20, pagesShared: 0, pagesSharing: 0 };

/** A host of 16 GiB with nothing to do, unless told otherwise. */
export function sampleOf(parts: Partial<Sample> = {}): Sample {
  return {
    takenAtMillis: 0,
    monotonicMillis: 0,
    memory: hostOf(16777216, 16000000, 0),
    guests: [],
    ksm: IDLE_KSM,
    pageSizeBytes: 4096,
    problems: [],
    ...parts,
  };
}

/** A host's memory, told in kB as ksmtuned counts it. */
export function hostOf(totalKb: number, freeKb: number, committedKb: number): Sample['memory'] {
  return { totalBytes: totalKb * 1024, freeBytes: freeKb * 1024, committedBytes: committedKb * 1024 };
}

export const KSMTUNED_DEFAULTS: KsmtunedOptions = {
  pagesBoost: 300,
  pagesDecay: -50,
  pagesMin: 64,
  pagesMax: 1250,
  sleepMillisecs: 10,
  thresholdPercent: 20,
  thresholdBytes: 2048 * 1024,
  when: 'needed',
};

/** The plan that a daemon begins with, from a file that sets just these keys. */
export function planFrom(texts: Readonly<Partial<Record<KeyName, string>>> = {}): Plan {
  return planOf({ because: { kind: 'start' }, values: valuesOf(texts), hold: undefined }, undefined);
}

/** The configuration of a file that sets just these keys. */
export function valuesOf(texts: Readonly<Partial<Record<KeyName, string>>> = {}): Values {
  const names = Object.keys(KEYS) as KeyName[];
  return Object.fromEntries(names.map((name) => [name, readValue(name, texts[name] ?? KEYS[name].fallback)])) as Values;
}

/** The page count that the policy ksmtuned remembers. */
export function npagesOf(memory: PolicyMemory | undefined): number | undefined {
  const carrier = ownMemory<ZeroPagesMemory>(memory, 'zero-pages') ?? ownMemory<KsmdSchedMemory>(memory, 'ksmd-sched');
  return carrier === undefined ? ownMemory<KsmtunedMemory>(memory, 'ksmtuned')?.npages : npagesOf(carrier.inner);
}

/** What the policy ksmtuned remembers. */
export function ksmtunedMemory(npages: number): KsmtunedMemory {
  return { policy: 'ksmtuned', npages };
}
