import type { Values } from './config/keys.js';
import { type Hold, holdPolicy } from './core/hold.js';
import type { KsmSettings } from './core/ksm.js';
import { ksmtunedPolicy } from './core/policies/ksmtuned.js';
import type { Policy, Trigger } from './core/policy.js';
import type { Plan } from './core/retune.js';

/** What configuration and administrator say about the loop. */
export interface Intent {
  readonly because: Trigger;
  readonly values: Values;
  readonly hold: Hold | undefined;
}

/**
 * @param maxKernelPages the default of KSM_MAX_KERNEL_PAGES: half of memory, in pages, where this kernel has that limit
 *   (very old ones); undefined elsewhere. Source: ksmctl of ksmtuned.
 */
export function planOf({ because, values, hold }: Intent, maxKernelPages: number | undefined): Plan {
  const policy = policyOf(values);
  return {
    because,
    policy: hold === undefined ? policy : holdPolicy(policy, hold),
    settings: settingsOf(values, maxKernelPages),
    intervalMillis: values.KSM_MONITOR_INTERVAL * 1000,
    settleMillis: values.KSM_EVENT_SETTLE,
    recheckMillis: values.KSM_EVENT_RECHECK.map((seconds) => seconds * 1000),
  };
}

function settingsOf(values: Values, maxKernelPages: number | undefined): KsmSettings {
  const settings: Record<string, number | null | undefined> = {
    mergeAcrossNodes: values.KSM_MERGE_ACROSS_NODES,
    useZeroPages: values.KSM_USE_ZERO_PAGES,
    smartScan: values.KSM_SMART_SCAN,
    maxPageSharing: values.KSM_MAX_PAGE_SHARING,
    stableNodeChainsPruneMillisecs: values.KSM_STABLE_NODE_CHAINS_PRUNE_MILLISECS,
    maxKernelPages: values.KSM_MAX_KERNEL_PAGES ?? maxKernelPages,
  } satisfies { [K in keyof KsmSettings]?: number | null | undefined };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null && value !== undefined));
}

function policyOf(values: Values): Policy {
  return ksmtunedPolicy({
    pagesBoost: values.KSM_NPAGES_BOOST,
    pagesDecay: values.KSM_NPAGES_DECAY,
    pagesMin: values.KSM_NPAGES_MIN,
    pagesMax: values.KSM_NPAGES_MAX,
    sleepMillisecs: values.KSM_SLEEP_MSEC,
    thresholdPercent: values.KSM_THRES_COEF,
    thresholdBytes: values.KSM_THRES_CONST,
    when: values.KSM_WHEN,
  });
}
