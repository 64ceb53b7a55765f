import type { Values } from './config/keys.js';
import { ksmtunedPolicy } from './core/policies/ksmtuned.js';
import type { Policy } from './core/policy.js';
import type { Plan } from './core/retune.js';

/** What the configuration says about the loop. */
export function planOf(values: Values): Plan {
  return {
    policy: policyOf(values),
    intervalMillis: values.KSM_MONITOR_INTERVAL * 1000,
    settleMillis: values.KSM_EVENT_SETTLE,
    recheckMillis: values.KSM_EVENT_RECHECK.map((seconds) => seconds * 1000),
  };
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
  });
}
