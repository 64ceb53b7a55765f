/** What the kernel's scan-time advisor goes by, and what it decides. */
export interface AdvisorSettings {
  readonly advisorMaxCpu: number;
  readonly advisorMaxPagesToScan: number;
  readonly advisorTargetScanTime: number;
}

/** What it remembers from pass to pass; all 0 when it is switched on. */
export interface AdvisorMemory {
  /** When the pass began, milliseconds since boot; 0 when it was switched on in the middle of one. */
  readonly startMillis: number;
  readonly scanSeconds: number;
  readonly changePercent: number;
  readonly cpuNanos: number;
}

export const FRESH_ADVISOR: AdvisorMemory = { startMillis: 0, scanSeconds: 0, changePercent: 0, cpuNanos: 0 };

const LEAST_CPU_PERCENT = 10;
const NEW_WEIGHT_PERCENT = 30;

/**
 * The next pages_to_scan at the end of a pass: scan_time_advisor() of mm/ksm.c with its whole numbers. Its lower bound is
 * a CPU share; advisor_min_pages_to_scan is only where it begins.
 */
export function scanTimeAdvice(
  { advisorMaxCpu, advisorMaxPagesToScan, advisorTargetScanTime }: AdvisorSettings,
  memory: AdvisorMemory,
  now: { readonly millis: number; readonly cpuNanos: number; readonly pagesToScan: number },
): { readonly pagesToScan: number; readonly memory: AdvisorMemory } {
  const scanSeconds = atLeastOne((now.millis - memory.startMillis) / 1000);
  const cpuMillis = Math.trunc((now.cpuNanos - memory.cpuNanos) / 1e6);
  const cpuPercent = atLeastOne((cpuMillis * 100) / (scanSeconds * 1000));
  const lastSeconds = memory.scanSeconds === 0 ? scanSeconds : memory.scanSeconds;
  const factor = atLeastOne((advisorTargetScanTime * 100) / scanSeconds);
  const change = atLeastOne((scanSeconds * 100) / lastSeconds);
  const changePercent = Math.trunc(
    ((100 - NEW_WEIGHT_PERCENT) * memory.changePercent + NEW_WEIGHT_PERCENT * change) / 100,
  );
  const wished = Math.trunc((Math.trunc((now.pagesToScan * 100) / factor) * changePercent) / 100);
  const pagesPerPercent = atLeastOne(now.pagesToScan / cpuPercent);
  const least = Math.max(Math.min(wished, pagesPerPercent * advisorMaxCpu), pagesPerPercent * LEAST_CPU_PERCENT);
  return {
    pagesToScan: Math.min(least, advisorMaxPagesToScan),
    memory: { ...memory, scanSeconds, changePercent, cpuNanos: now.cpuNanos },
  };
}

function atLeastOne(value: number): number {
  return Math.max(Math.trunc(value), 1);
}
