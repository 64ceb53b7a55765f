/** A recording rule. */
interface Recorded {
  readonly record: string;
  readonly expr: string;
}

/** What the alerts and the dashboard of a fleet ask for again and again; a host keeps all labels that it is scraped with. */
export const RECORDED = {
  saved: 'instance:samepaged_saved_bytes:sum',
  ksmdCpu: 'instance:samepaged_ksmd_cpu:rate5m',
  ksmdWait: 'instance:samepaged_ksmd_wait:rate5m',
} as const;

export const RULES: readonly Recorded[] = [
  { record: RECORDED.saved, expr: 'sum without (kind) (samepaged_saved_bytes)' },
  { record: RECORDED.ksmdCpu, expr: 'rate(samepaged_ksmd_cpu_seconds_total[5m])' },
  { record: RECORDED.ksmdWait, expr: 'rate(samepaged_ksmd_wait_seconds_total[5m])' },
];
