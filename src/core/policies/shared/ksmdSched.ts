import type { Decision } from '../../decision.js';
import type { KsmdSched } from '../../ksm.js';
import { ownMemory, type Policy, type PolicyMemory } from '../../policy.js';
import type { Sample } from '../../sample.js';

/** KSM_KSMD_SCHED: `auto` decides here, `keep` leaves ksmd's scheduling class as the host has it. */
export type KsmdSchedChoice = 'auto' | 'idle' | 'other' | 'keep';

/** What is remembered beside the policy's own memory. */
export interface KsmdSchedMemory {
  readonly policy: 'ksmd-sched';
  readonly inner: PolicyMemory | undefined;
  readonly step: Step;
  /** ksmd's times when the five minutes that are looked at began; undefined while ksmd rests, or where they do not show. */
  readonly since: Times | undefined;
}

/** What ksmd has in `auto`: the class that takes idle time only, the lowest of the others, or what the host had. */
type Step = 'idle' | 'nice' | 'host';

interface Times {
  readonly monotonicMillis: number;
  readonly cpuNanos: number;
  readonly waitNanos: number;
}

const IDLE: KsmdSched = 'idle 5';
const NICE: KsmdSched = 'other 19';
/** The kernel's own: ksm_scan_thread() of mm/ksm.c sets nice 5. */
const OTHER: KsmdSched = 'other 5';

/** An idle ksmd that gets less than this part of its budget in this time, because others have the CPUs, is raised a step. */
const STARVED_SHARE = 0.1;
const STARVED_MILLIS = 300_000;

/**
 * `policy` with a decision on ksmd's scheduling class. What the policy itself decides stays as it is.
 *
 * As SCHED_IDLE ksmd takes only what no other task wants, so that guests do not feel it, and is as fast as ever where there is
 * idle time. When memory is nearly out, saving some comes first: ksmd has what the host had. Where the CPUs are busy all the time
 * ksmd is raised step by step, until it rests.
 *
 * @param cpuMaxPercent KSM_CPU_MAX.
 */
export function withKsmdSched(policy: Policy, choice: KsmdSchedChoice, cpuMaxPercent: number): Policy {
  return {
    name: policy.name,
    decide(memory, sample, triggers) {
      const before = ownMemory<KsmdSchedMemory>(memory, 'ksmd-sched');
      const [inner, decided] = policy.decide(before?.inner, sample, triggers);
      const next = nextMemory(before, inner, decided, sample, cpuMaxPercent / 100);
      return [next, withSetting(decided, sample, choice, next.step)];
    },
  };
}

function nextMemory(
  before: KsmdSchedMemory | undefined,
  inner: PolicyMemory | undefined,
  decision: Decision,
  sample: Sample,
  budget: number,
): KsmdSchedMemory {
  const now = timesOf(sample);
  const rested = { policy: 'ksmd-sched', inner, step: 'idle', since: undefined } as const;
  if (decision.settings.run !== 1) return rested;
  const { step, since } = before ?? rested;
  if (now === undefined || since === undefined) return { ...rested, step, since: now };
  const elapsedMillis = now.monotonicMillis - since.monotonicMillis;
  if (elapsedMillis < STARVED_MILLIS) return { ...rested, step, since };
  const leastNanos = STARVED_SHARE * budget * elapsedMillis * 1e6;
  const cpuNanos = now.cpuNanos - since.cpuNanos;
  // A ksmd that paces itself does not wait.
  const isStarved = cpuNanos < leastNanos && cpuNanos + now.waitNanos - since.waitNanos >= leastNanos;
  return { ...rested, step: isStarved ? raised(step) : step, since: now };
}

function timesOf({ monotonicMillis, ksmdCpuNanos, ksmdWaitNanos }: Sample): Times | undefined {
  if (ksmdCpuNanos === undefined || ksmdWaitNanos === undefined) return undefined;
  return { monotonicMillis, cpuNanos: ksmdCpuNanos, waitNanos: ksmdWaitNanos };
}

function raised(step: Step): Step {
  return step === 'idle' ? 'nice' : 'host';
}

interface Setting {
  /** undefined: what the host had. */
  readonly value: KsmdSched | undefined;
  /** Why, for `explain`. */
  readonly note?: string;
}

function withSetting(decision: Decision, { ksm }: Sample, choice: KsmdSchedChoice, step: Step): Decision {
  if (choice !== 'keep' && ksm.ksmdSched === undefined) return withUnseen(decision, choice);
  if (choice !== 'keep' && decision.settings.run !== 1) return decision;
  const { value, note } = settingFor(choice, decision.isUrgent === true, step);
  const { working } = decision;
  return {
    ...decision,
    ...(value === undefined
      ? { released: [...(decision.released ?? []), 'ksmdSched' as const] }
      : { settings: { ...decision.settings, ksmdSched: value } }),
    ...(working === undefined || note === undefined
      ? {}
      : {
          working: {
            ...working,
            notes: [...(working.notes ?? []), note],
            keys: [...working.keys, 'KSM_KSMD_SCHED'],
          },
        }),
  };
}

function settingFor(choice: KsmdSchedChoice, isUrgent: boolean, step: Step): Setting {
  switch (choice) {
    case 'keep':
      return { value: undefined };
    case 'idle':
      return { value: IDLE };
    case 'other':
      return { value: OTHER };
    case 'auto':
      if (isUrgent)
        return { value: undefined, note: 'ksmd has the scheduling class that the host had: memory is short' };
      return automatic(step);
  }
}

function automatic(step: Step): Setting {
  const starved = 'in five minutes ksmd got less than a tenth of its budget, because the CPUs were busy';
  switch (step) {
    case 'idle':
      return { value: IDLE, note: 'ksmd is SCHED_IDLE: it takes only CPU time that no other task wants' };
    case 'nice':
      return { value: NICE, note: `ksmd has nice 19: as SCHED_IDLE, ${starved}` };
    case 'host':
      return { value: undefined, note: `ksmd has the scheduling class that the host had: with nice 19, ${starved}` };
  }
}

/** In `auto` it goes on without a word where ksmd cannot be seen, as in a container. */
function withUnseen(decision: Decision, choice: KsmdSchedChoice): Decision {
  if (choice === 'auto') return decision;
  const sentence = `KSM_KSMD_SCHED=${choice}: ksmd's scheduling class cannot be seen here (as in a container, or because it is a real-time one): it stays as it is`;
  return { ...decision, problems: [...(decision.problems ?? []), { subject: 'KSM_KSMD_SCHED', sentence }] };
}
