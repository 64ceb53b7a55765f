import type { Values } from './keys.js';
import { type Hold, holdPolicy } from '../core/hold.js';
import type { KsmSettings } from '../core/ksm.js';
import { adaptivePolicy } from '../core/policies/adaptive/policy.js';
import { estimatePolicy } from '../core/policies/estimate.js';
import { advisorPolicy } from '../core/policies/advisor/policy.js';
import { ksmtunedPolicy } from '../core/policies/ksmtuned/policy.js';
import { type KsmtunedOptions } from '../core/policies/ksmtuned/options.js';
import { withKsmdSched } from '../core/policies/shared/ksmdSched.js';
import type { NeedOptions } from '../core/policies/shared/need.js';
import { withKhugepaged } from '../core/policies/shared/khugepaged.js';
import { withZeroPages } from '../core/policies/shared/zeroPages.js';
import type { Policy } from '../core/policy.js';
import type { Trigger } from '../core/trigger.js';
import type { Plan } from '../core/retune.js';

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
  return {
    because,
    policy: withKhugepaged(heldPolicy(values, hold), values.KSM_THP_MAX_PTES_NONE),
    settings: settingsOf(values, maxKernelPages),
    accounting: values.KSM_MEMORY_ACCOUNTING,
    unmergesToApply: values.KSM_UNMERGE_TO_APPLY,
    onConflict: values.KSM_ON_CONFLICT,
    intervalMillis: values.KSM_MONITOR_INTERVAL * 1000,
    settleMillis: values.KSM_EVENT_SETTLE,
    recheckMillis: values.KSM_EVENT_RECHECK.map((seconds) => seconds * 1000),
  };
}

function heldPolicy(values: Values, hold: Hold | undefined): Policy {
  if (hold?.kind === 'estimating') {
    return estimatePolicy(
      completePolicy({ ...values, KSM_POLICY: 'adaptive', KSM_WHEN: 'always' }),
      hold.longestMillis,
    );
  }
  const policy = completePolicy(values);
  return hold === undefined ? policy : holdPolicy(policy, hold);
}

/** The policy with what is decided beside it. */
function completePolicy(values: Values): Policy {
  const { KSM_POLICY: name, KSM_KSMD_SCHED: sched } = values;
  return withKsmdSched(
    withZeroPages(policyOf(values), values.KSM_USE_ZERO_PAGES),
    // Only adaptive shortens the batches of a ksmd that waits for a CPU. With long ones an idle ksmd can hold the mmap lock of a
    // guest for a second (docs/figures.md).
    name !== 'adaptive' && sched === 'auto' ? 'keep' : sched,
    values.KSM_CPU_MAX,
  );
}

/**
 * Why a policy cannot work on a kernel that has these settings, with the alternative; undefined when it can.
 */
export function policyObstacle(policy: Values['KSM_POLICY'], ksm: KsmSettings): string | undefined {
  if (policy !== 'advisor' || ksm.advisorMode !== undefined) return undefined;
  return "it needs the kernel's own advisor (advisor_mode, Linux 6.8), which this kernel lacks; adaptive works here";
}

function settingsOf(values: Values, maxKernelPages: number | undefined): KsmSettings {
  const settings: Record<string, number | null | undefined> = {
    mergeAcrossNodes: values.KSM_MERGE_ACROSS_NODES,
    useZeroPages: typeof values.KSM_USE_ZERO_PAGES === 'number' ? values.KSM_USE_ZERO_PAGES : undefined,
    smartScan: values.KSM_SMART_SCAN,
    maxPageSharing: values.KSM_MAX_PAGE_SHARING,
    stableNodeChainsPruneMillisecs: values.KSM_STABLE_NODE_CHAINS_PRUNE_MILLISECS,
    maxKernelPages: values.KSM_MAX_KERNEL_PAGES ?? maxKernelPages,
  } satisfies { [K in keyof KsmSettings]?: number | null | undefined };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null && value !== undefined));
}

function policyOf(values: Values): Policy {
  const need = {
    thresholdPercent: values.KSM_THRES_COEF,
    thresholdBytes: values.KSM_THRES_CONST,
    when: values.KSM_WHEN,
  };
  const cpuMaxPercent = values.KSM_CPU_MAX;
  switch (values.KSM_POLICY) {
    case 'adaptive':
      return adaptivePolicy({
        ...need,
        cpuMaxPercent,
        probeMaxMillis: values.KSM_PROBE_MAX * 1000,
        ownsSmartScan: values.KSM_SMART_SCAN === null,
      });
    case 'advisor':
      return advisorPolicy({ ...need, cpuMaxPercent });
    case 'ksmtuned':
      return ksmtunedPolicy({ ...need, ...ksmtunedPace(values) });
  }
}

function ksmtunedPace(values: Values): Omit<KsmtunedOptions, keyof NeedOptions> {
  return {
    pagesBoost: values.KSM_NPAGES_BOOST,
    pagesDecay: values.KSM_NPAGES_DECAY,
    pagesMin: values.KSM_NPAGES_MIN,
    pagesMax: values.KSM_NPAGES_MAX,
    sleepMillisecs: values.KSM_SLEEP_MSEC,
  };
}
