import { type Family, byLabel, counter, gauge, histogram, oneOf } from '../family.js';
import type { Tally } from '../tally.js';

/** What was decided, and what became of the writes. */
export function loop(tally: Tally): readonly Family[] {
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
