import type { Decision } from '../../../src/core/decision.js';
import type { AdvisorOptions } from '../../../src/core/policies/advisor/memory.js';
import { advisorPolicy } from '../../../src/core/policies/advisor/policy.js';
import type { Sample } from '../../../src/core/sample.js';
import { ADAPTIVE_DEFAULTS, GAIN, NEW_KSM, PASS, PROMISED, PolicyHost, START, type Work } from './policyHost.js';

/** KSM of Linux 6.8 and newer. */
export const ADVISED_KSM = {
  ...NEW_KSM,
  advisorMaxCpu: 70,
  advisorMinPagesToScan: 500,
  advisorMaxPagesToScan: 30_000,
  advisorTargetScanTime: 200,
};

export function advised(parts: Partial<Sample> = {}, options: Partial<AdvisorOptions> = {}): PolicyHost {
  const policy = advisorPolicy({ ...ADAPTIVE_DEFAULTS, ...options });
  return new PolicyHost(policy, { ...PROMISED, ksm: ADVISED_KSM, ...parts });
}

/** Looks, and once more where the advisor was switched off to be switched on. */
export function advise(host: PolicyHost, millis: number, work: Work = {}): Decision {
  const decision = host.look(millis, work);
  return decision.settings.advisorMode === 'none' ? host.look(decision.nextInMillis ?? 0) : decision;
}

/** A host whose passes have brought nothing more: 51,200 pages seen. */
export function calm(...options: Parameters<typeof advised>): PolicyHost {
  const host = advised(...options);
  host.look(0, {}, START);
  // Just enough pages change all the time that another pass might pay.
  for (const work of [GAIN, { ...GAIN, merged: 25_600 - 256, volatile: 256 }, PASS, PASS]) advise(host, 2000, work);
  return host;
}

/** The same when passes may take an hour. */
export function inLongCalm(...options: Parameters<typeof advised>): PolicyHost {
  const host = calm(...options);
  for (let passes = 0; passes < 8; passes += 1) advise(host, 10_000, PASS);
  return host;
}
