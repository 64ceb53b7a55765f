import { formatBytes } from './format.js';

/** "2 processes that run no guest use KSM, 40.0 MiB merged: journald (pid 300, 30.0 MiB), …" */
export function describeOtherMergers({
  count,
  mergedBytes,
  largest,
}: {
  readonly count: number;
  readonly mergedBytes: number;
  readonly largest: readonly { readonly pid: number; readonly comm: string; readonly mergedBytes: number }[];
}): string {
  const named = largest.map(({ comm, pid, mergedBytes: bytes }) => `${comm} (pid ${pid}, ${formatBytes(bytes)})`);
  const more = count > named.length ? ` and ${count - named.length} more` : '';
  const use = count === 1 ? 'that runs no guest uses' : 'that run no guest use';
  return `${count} process${count === 1 ? '' : 'es'} ${use} KSM, ${formatBytes(mergedBytes)} merged: ${named.join(', ')}${more}`;
}
