import type { Check, Finding, Level } from './check.js';
import { GUEST_CHECKS } from './checks/guests.js';
import { KERNEL_CHECKS } from './checks/kernel.js';
import { LIBVIRT_CHECKS } from './checks/libvirt.js';
import { MEMORY_CHECKS } from './checks/memory.js';
import { MERGING_CHECKS } from './checks/merging.js';
import { NUMA_CHECKS } from './checks/numa.js';
import { POLICY_CHECKS } from './checks/policy.js';
import { TUNER_CHECKS } from './checks/tuners.js';
import type { Facts } from './facts.js';

/** Every check, in the order in which an administrator would go. */
export const CHECKS: readonly Check[] = [
  ...KERNEL_CHECKS,
  ...TUNER_CHECKS,
  ...LIBVIRT_CHECKS,
  ...GUEST_CHECKS,
  ...MEMORY_CHECKS,
  ...MERGING_CHECKS,
  ...NUMA_CHECKS,
  ...POLICY_CHECKS,
];

/** The order in which levels are shown. */
export const LEVELS: readonly Level[] = ['problem', 'note', 'unknown', 'ok'];

/** What each check finds in `facts`, the worst first; checks that do not apply to this host are left out. */
export function examine(facts: Facts): readonly Finding[] {
  const findings = CHECKS.flatMap((check) => check.examine(facts) ?? []);
  return LEVELS.flatMap((level) => findings.filter((finding) => finding.level === level));
}
