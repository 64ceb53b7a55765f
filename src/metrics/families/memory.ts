import type { Sample } from '../../core/sample.js';
import type { Facts } from '../facts.js';
import { type Family, byLabel, gauge } from '../family.js';
import type { Readings } from '../readings.js';

// What merging saves, and the memory that the host has.

export function savings({ state }: Facts): readonly Family[] {
  const { sharedBytes, zeroBytes, freedBytes, beingFreedBytes, bookkeepingBytes, profitBytes } = state.savings;
  return [
    byLabel(
      gauge(
        'samepaged_saved_bytes',
        'Memory that merging saves: shared pages, zero pages, zero pages of split huge pages',
      ),
      'kind',
      { shared: sharedBytes, zero: zeroBytes, freed_by_splits: freedBytes },
    ),
    gauge(
      'samepaged_being_freed_bytes',
      'Pages of guests that have gone, which the kernel still counts as shared; not in samepaged_saved_bytes',
      beingFreedBytes,
    ),
    gauge('samepaged_bookkeeping_bytes', "Memory that KSM's own records take", bookkeepingBytes),
    gauge(
      'samepaged_profit_bytes',
      'What is saved less what the records take; below 0 where merging costs more memory than it saves',
      profitBytes,
    ),
  ];
}

export function memory(sample: Sample, { state, limits, readings: { nodes } }: Facts): readonly Family[] {
  const { totalBytes, freeBytes, committedBytes } = sample.memory;
  const threshold = Math.max((totalBytes * limits.thresholdPercent) / 100, limits.thresholdBytes);
  const promised = sample.guests.reduce((sum, { configuredBytes }) => sum + configuredBytes, 0);
  const headroom = state.availableBytes - state.savings.savedBytes;
  const byNode = (bytes: (node: Readings['nodes'][number]) => number) =>
    Object.fromEntries(nodes.map((node) => [String(node.id), bytes(node)]));
  return [
    gauge('samepaged_memory_total_bytes', "The host's memory as the policy counts it", totalBytes),
    gauge(
      'samepaged_memory_free_bytes',
      'Free memory as the policy counts it, with what can be freed at once',
      freeBytes,
    ),
    gauge(
      'samepaged_memory_available_bytes',
      'Memory that the host could hand out without swapping',
      state.availableBytes,
    ),
    gauge(
      'samepaged_memory_committed_bytes',
      "The guests' memory that is in RAM, merged pages counted for each guest",
      committedBytes,
    ),
    gauge('samepaged_memory_promised_bytes', 'The memory that the running guests may use', promised),
    gauge('samepaged_memory_threshold_bytes', 'The reserve: merging is wanted while less is free', threshold),
    gauge(
      'samepaged_headroom_bytes',
      'What would stay available if all merged pages split; below 0 they would not fit',
      headroom,
    ),
    gauge(
      'samepaged_split_shortfall_bytes',
      'Memory that would have to be found, by swapping or worse, if all merged pages split',
      Math.max(-headroom, 0),
    ),
    byLabel(
      gauge('samepaged_node_memory_bytes', 'Memory of each NUMA node, where there are several'),
      'node',
      byNode(({ totalBytes: bytes }) => bytes),
    ),
    byLabel(
      gauge(
        'samepaged_node_free_bytes',
        'Memory of each NUMA node that is free or holds cached files, where there are several',
      ),
      'node',
      byNode(({ freeBytes: bytes }) => bytes),
    ),
  ];
}
