import type { Sample } from '../../core/sample.js';
import type { Facts } from '../facts.js';
import { type Family, counter, gauge } from '../family.js';

export function ksmd({ state, limits, readings }: Facts, sample: Sample | undefined): readonly Family[] {
  const seconds = (nanos: number | undefined) => (nanos === undefined ? undefined : nanos / 1e9);
  const bytes = (pages: number | undefined) =>
    pages === undefined || sample === undefined ? undefined : pages * sample.pageSizeBytes;
  return [
    gauge('samepaged_merging', 'Whether ksmd merges (run is 1)', Number(state.run === 1)),
    counter('samepaged_ksmd_cpu_seconds_total', 'CPU time of ksmd since boot', seconds(readings.ksmdCpuNanos)),
    counter(
      'samepaged_ksmd_wait_seconds_total',
      'Time since boot in which ksmd was ready to run and waited for a CPU',
      seconds(readings.ksmdWaitNanos),
    ),
    gauge(
      'samepaged_ksmd_budget_ratio',
      'Part of one core that ksmd may take (KSM_CPU_MAX), for a policy that has a budget',
      limits.ksmdBudgetRatio,
    ),
    counter(
      'samepaged_copied_on_write_bytes_total',
      'Memory that was copied since boot because somebody wrote to a merged page (cow_ksm)',
      bytes(readings.copiedOnWrite),
    ),
    counter(
      'samepaged_copied_on_swap_in_bytes_total',
      'Merged memory that was copied since boot when it came back from swap (ksm_swpin_copy)',
      bytes(readings.copiedOnSwapIn),
    ),
  ];
}
