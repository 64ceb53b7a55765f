import type { Commands } from '../api/commands.js';
import { POLICY_NAMES, type PolicyName } from '../config/keys.js';
import type { Trigger } from '../core/trigger.js';
import type { Retune } from '../core/retune.js';
import type { Intents } from './intent.js';

export interface CommandsOptions {
  readonly intents: Intents;
  /** Asks for a retune and nothing else. */
  readonly retune: (trigger: Trigger) => void;
  /** Sends a trigger and gives the retune that it is in. */
  readonly retuneAfter: (trigger: Trigger, send: (trigger: Trigger) => void) => Promise<Retune>;
  readonly unmergeObstacle: () => string | undefined;
  readonly history: Commands['history'];
  readonly metrics: Commands['metrics'];
  readonly guestDetails: Commands['guestDetails'];
  /** Why a policy cannot work on this kernel. */
  readonly policyObstacle: (name: PolicyName) => string | undefined;
}

/** What the bus can ask of the agent, done by what it wants (intents) and the retune that follows. */
export function agentCommands({ intents, retune, retuneAfter, ...rest }: CommandsOptions): Commands {
  /** Does what survives a restart when `keep` has kept its promise, and waits for that too. */
  const kept = async (by: string, keep: (trigger: Trigger) => Promise<void>): Promise<Retune> => {
    let keeping: Promise<void> | undefined;
    const retuned = await retuneAfter({ kind: 'manual', by }, (trigger) => {
      keeping = keep(trigger);
    });
    await keeping;
    return retuned;
  };
  return {
    ...rest,
    retune: () => retuneAfter({ kind: 'manual', by: 'D-Bus' }, retune),
    hold: (hold, by) => kept(by, (trigger) => intents.hold(hold, trigger)),
    policies: POLICY_NAMES,
    setPolicy: (name, by) => kept(by, (trigger) => intents.choosePolicy(name, trigger)),
    reload: async () => {
      const { config, problems } = await intents.read();
      if (config === undefined) return { problems, retune: undefined };
      const applied = await retuneAfter({ kind: 'reload' }, (trigger) => {
        intents.take(config, trigger);
      });
      return { problems, retune: applied };
    },
    entries: () => intents.entries(),
    configuration: () => intents.view(),
  };
}
