import type { Decision } from './decision.js';
import type { Sample } from './sample.js';
import type { Trigger } from './trigger.js';

/** What a policy remembers from one decision to the next. Others only carry it. */
export interface PolicyMemory {
  /** The name of the policy whose it is. */
  readonly policy: string;
}

/** `memory` where it is the policy's own; undefined where it is another's, as after a reload. */
export function ownMemory<Own extends PolicyMemory>(
  memory: PolicyMemory | undefined,
  policy: Own['policy'],
): Own | undefined {
  return memory?.policy === policy ? (memory as Own) : undefined;
}

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
