import { formatDuration } from '../../core/duration.js';
import { formatBytes } from '../../core/format.js';
import { type Check, check, note, ok } from '../check.js';
import type { PolicyTrial } from '../facts.js';
import { daemonRuns, reconfigure } from '../remedies.js';

/** A policy is better that saves more by this part and by so many bytes: replays are off by some percent. */
const CLEARLY_MORE_SHARE = 0.1;
const CLEARLY_MORE_BYTES = 64 * 1024 ** 2;
/** Savings that differ by no more than this part are the same. */
const SAME_SHARE = 0.02;
/** Of two policies that save the same, one is better that takes at most this part of the other's CPU time ... */
const CLEARLY_LESS_CPU_SHARE = 0.5;
/** ... where the other takes at least this part of a core. */
const LEAST_CPU_SHARE = 0.01;

const policy = check({
  id: 'policy',
  title: 'Policy',
  why:
    "Policies differ in what they save and in ksmd's CPU time. The last hours of this host's history were simulated under both " +
    'policies. samepaged --replay compares the whole history.',
  needs: ['policyTrial'],
  judge: ({ policyTrial: trial }, facts) => {
    const { policy: name } = trial.other;
    if (!savesMore(trial) && !costsLess(trial)) return ok(describe(trial));
    return note(
      describe(trial),
      ...(daemonRuns(facts) ? [`samepagectl policy ${name}`] : reconfigure(facts, `KSM_POLICY=${name}`)),
    );
  },
});

function savesMore({ recorded, other }: PolicyTrial): boolean {
  const moreBytes = other.savedBytes - recorded.savedBytes;
  return moreBytes >= Math.max(CLEARLY_MORE_SHARE * recorded.savedBytes, CLEARLY_MORE_BYTES);
}

function costsLess({ millis, recorded, other }: PolicyTrial): boolean {
  const isSame = other.savedBytes >= (1 - SAME_SHARE) * recorded.savedBytes;
  const isCostly = recorded.ksmdCpuNanos >= LEAST_CPU_SHARE * millis * 1e6;
  return isSame && isCostly && other.ksmdCpuNanos <= CLEARLY_LESS_CPU_SHARE * recorded.ksmdCpuNanos;
}

function describe({ millis, recorded, other }: PolicyTrial): string {
  const cpu = (nanos: number) => formatDuration(nanos / 1e6);
  return (
    `in the last ${formatDuration(millis)} of the history ${other.policy} would have saved ${formatBytes(other.savedBytes)} ` +
    `on average for ${cpu(other.ksmdCpuNanos)} of ksmd CPU; ${recorded.policy}: ${formatBytes(recorded.savedBytes)} for ` +
    `${cpu(recorded.ksmdCpuNanos)} (simulated)`
  );
}

export const POLICY_CHECKS: readonly Check[] = [policy];
