import { type NamePatterns, isForbidden } from '../core/forbiddenGuests.js';
import type { NamedGuest } from '../core/guest.js';
import { HOLD_KINDS } from '../core/hold.js';
import { type Mergeability, OBSTACLES } from '../core/mergeability.js';
import { type Sample, freedBytesOf } from '../core/sample.js';
import { type AgentState } from '../core/state.js';
import { type Family, byLabel, counter, gauge, histogram, info, oneOf } from './family.js';
import type { Readings } from './readings.js';
import { type Connection, PEERS, type Tally } from './tally.js';

/** What the configuration says that the metrics show or compare with. */
export interface Limits {
  /** The reserve that should stay free: KSM_THRES_COEF and KSM_THRES_CONST. */
  readonly thresholdPercent: number;
  readonly thresholdBytes: number;
  /** Parts of one core that ksmd may take; undefined for a policy without a budget. */
  readonly ksmdBudgetRatio: number | undefined;
  readonly forbidden: NamePatterns;
  /** Whether each guest has series of its own (KSM_METRICS_GUESTS). */
  readonly withGuests: boolean;
}

/** Everything that a page is made of. */
export interface Facts {
  readonly state: AgentState;
  readonly tally: Tally;
  readonly limits: Limits;
  readonly readings: Readings;
  /** Whether the configuration could be taken when it was read last; otherwise the one before it is in force. */
  readonly isConfigurationValid: boolean;
  /** Whether KSM can merge each running guest; undefined while nobody has looked. */
  readonly mergeability: readonly (NamedGuest & { readonly mergeability: Mergeability })[] | undefined;
}

/**
 * Every metric of samepaged, in the order of the page; docs/metrics.md has the same list. Gauges are of the last retune, as
 * the properties on the bus are. A new metric belongs here, and what it counts into tally.ts.
 */
export function families(facts: Facts): readonly Family[] {
  const sample = facts.tally.last?.sample;
  return [
    ...samepaged(facts),
    ...savings(facts),
    ...(sample === undefined ? [] : memory(sample, facts)),
    ...ksmd(facts, sample),
    ...loop(facts.tally),
    ...guests(facts),
    ...(sample === undefined || !facts.limits.withGuests ? [] : eachGuest(sample)),
  ];
}

/** What stands in place of the page of a samepaged that does not run. */
export function familiesOfNone(): readonly Family[] {
  return [up(0)];
}

/** The page of a samepaged that leaves KSM to another program. */
export function familiesOfStandBy(version: string): readonly Family[] {
  return [up(1), buildInfo(version), standingBy(1)];
}

function buildInfo(version: string): Family {
  return info('samepaged_build_info', 'The version of samepaged', { version });
}

function standingBy(value: 0 | 1): Family {
  return gauge(
    'samepaged_standing_by',
    'Whether samepaged waits because another program tunes KSM (--stand-by)',
    value,
  );
}

function up(value: 0 | 1): Family {
  return gauge('samepaged_up', 'Whether samepaged runs; 0 is what samepagectl metrics writes when it does not', value);
}

function samepaged({ state, tally: { connections }, isConfigurationValid }: Facts): readonly Family[] {
  const { version, policy, configuredPolicy: configured, dryRun, hold } = state;
  const ofPeers = (pick: (connection: Connection) => number) =>
    Object.fromEntries(
      PEERS.flatMap((peer) => {
        const connection = connections[peer];
        return connection === undefined ? [] : [[peer, pick(connection)]];
      }),
    );
  return [
    up(1),
    buildInfo(version),
    standingBy(0),
    info('samepaged_policy_info', 'The policy in force, and the one that the configuration names', {
      policy,
      configured,
    }),
    gauge(
      'samepaged_configuration_valid',
      'Whether the configuration could be taken when it was read last; 0 leaves the one before it in force',
      Number(isConfigurationValid),
    ),
    gauge('samepaged_dry_run', 'Whether samepaged writes nothing to the kernel', Number(dryRun)),
    oneOf('samepaged_hold', 'Whether an administrator holds merging, by kind of hold', 'kind', HOLD_KINDS, hold?.kind),
    byLabel(
      gauge('samepaged_connected', 'Whether D-Bus and libvirt are connected; one that is not used is left out'),
      'peer',
      ofPeers(({ isUp }) => Number(isUp)),
    ),
    byLabel(
      counter('samepaged_reconnects_total', 'How often a lost connection came back'),
      'peer',
      ofPeers(({ reconnects }) => reconnects),
    ),
  ];
}

function savings({ state }: Facts): readonly Family[] {
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

function memory(sample: Sample, { state, limits, readings: { nodes } }: Facts): readonly Family[] {
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

function ksmd({ state, limits, readings }: Facts, sample: Sample | undefined): readonly Family[] {
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

function loop(tally: Tally): readonly Family[] {
  const { last, decisions, retunes } = tally;
  return [
    byLabel(counter('samepaged_retunes_total', 'Retunes, by the trigger that came first'), 'trigger', retunes),
    counter('samepaged_failed_retunes_total', 'Retunes that came to no decision', tally.failedRetunes),
    gauge(
      'samepaged_last_decision_timestamp_seconds',
      'When the sample of the last decision was taken, seconds since 1970',
      last === undefined ? undefined : last.sample.takenAtMillis / 1000,
    ),
    oneOf(
      'samepaged_reason',
      'The reason of the last decision',
      'reason',
      Object.keys(decisions),
      last?.decision.reason,
    ),
    byLabel(counter('samepaged_decisions_total', 'Decisions, by reason'), 'reason', decisions),
    histogram(
      'samepaged_event_to_applied_seconds',
      'From the arrival of an event of a guest to the end of the retune that it caused',
      tally.latencies,
    ),
    counter('samepaged_writes_total', 'Settings of KSM that samepaged wrote and the kernel took', tally.writes),
    counter('samepaged_failed_writes_total', 'Settings of KSM that the kernel did not take', tally.failedWrites),
    counter(
      'samepaged_repeated_writes_total',
      'Writes of the value that samepaged had written to that setting before: something else undid it',
      tally.repeatedWrites,
    ),
    counter(
      'samepaged_changes_by_others_total',
      'Settings of KSM that changed between two retunes though samepaged did not write them',
      tally.changesByOthers,
    ),
    gauge(
      'samepaged_settings_left_to_others',
      'Settings of KSM that samepaged does not set now because something else keeps changing them',
      last === undefined ? undefined : (last.applied.left ?? []).length,
    ),
  ];
}

function guests({ state, limits, mergeability }: Facts): readonly Family[] {
  const obstacles = mergeability?.flatMap(
    ({
      mergeability: {
        mergeable,
        obstacles: [first],
      },
    }) => (mergeable || first === undefined ? [] : [first]),
  );
  const forbidden = mergeability?.filter(
    (guest) => guest.mergeability.mergeable && isForbidden(limits.forbidden, guest),
  );
  return [
    gauge('samepaged_guests', 'Running guests', state.guestCount),
    byLabel(
      gauge('samepaged_guests_not_mergeable', 'Running guests whose memory KSM cannot merge, by what is in the way'),
      'obstacle',
      obstacles === undefined
        ? {}
        : Object.fromEntries(
            Object.keys(OBSTACLES).map((name) => [name, obstacles.filter((obstacle) => obstacle === name).length]),
          ),
    ),
    gauge(
      'samepaged_guests_forbidden_mergeable',
      'Running guests that KSM_FORBID_GUESTS names and whose memory KSM can still merge',
      forbidden?.length,
    ),
  ];
}

function eachGuest(sample: Sample): readonly Family[] {
  const ofEach = (pick: (guest: Sample['guests'][number]) => number | undefined) =>
    Object.fromEntries(sample.guests.map((guest) => [guest.name, pick(guest)]));
  return [
    byLabel(
      gauge('samepaged_guest_resident_bytes', "A guest's memory that is in RAM, merged pages included"),
      'guest',
      ofEach(({ residentBytes }) => residentBytes),
    ),
    byLabel(
      gauge('samepaged_guest_configured_bytes', 'The memory that a guest may use'),
      'guest',
      ofEach(({ configuredBytes }) => configuredBytes),
    ),
    byLabel(
      gauge('samepaged_guest_profit_bytes', "What merging saves of a guest's memory less what it costs"),
      'guest',
      ofEach(({ ksmProfitBytes }) => ksmProfitBytes),
    ),
    byLabel(
      gauge('samepaged_guest_freed_by_splits_bytes', 'What splits of huge pages gave back of a guest'),
      'guest',
      ofEach((guest) => freedBytesOf(sample, guest)),
    ),
  ];
}
