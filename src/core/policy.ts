import type { Decision } from './decision.js';
import type { GuestEvent } from './guest.js';
import type { PolicyMemory } from './policies/memory.js';
import type { Sample } from './sample.js';

/** Why a retune happens. */
export type Trigger =
  | { readonly kind: 'start' | 'timer' | 'reload' }
  /** `by` is who asked: a signal's name or a caller on the bus. */
  | { readonly kind: 'manual'; readonly by: string }
  | { readonly kind: 'guest'; readonly event: GuestEvent }
  /** A second look some seconds after a guest started: a starting guest has no memory yet. */
  | { readonly kind: 'recheck'; readonly name: string };

/**
 * A pure reducer: it is handed everything and keeps nothing. `memory` is what the previous decision returned, undefined
 * at first; memory of another policy (after a reload) is not its own and counts as none.
 */
export interface Policy {
  readonly name: string;
  decide(
    memory: PolicyMemory | undefined,
    sample: Sample,
    triggers: readonly Trigger[],
  ): readonly [PolicyMemory | undefined, Decision];
}

/** A trigger in a few words. */
export function describeTrigger(trigger: Trigger): string {
  switch (trigger.kind) {
    case 'manual':
      return `asked for by ${trigger.by}`;
    case 'guest':
      return `guest ${trigger.event.name} ${trigger.event.change}`;
    case 'recheck':
      return `second look at guest ${trigger.name}`;
    default:
      return trigger.kind;
  }
}
