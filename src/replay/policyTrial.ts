import type { Values } from '../config/keys.js';
import type { HistoryRecord } from '../core/history/record.js';
import type { PolicyTrial } from '../doctor/facts.js';
import { FatalError } from '../errors.js';
import { resembles } from './comparison.js';
import { likenessUnknown } from './passes.js';
import { type Replay, type ReplaySettings, replay } from './replay.js';
import { type Segment, lengthMillis, splitRecord } from './segments.js';
import { summaryOf } from './summary.js';

/** The end of the history that is simulated: a day of a busy host takes several seconds. */
const LONGEST_MILLIS = 6 * 3_600_000;
/** Less than an hour under one policy says nothing. */
const LEAST_MILLIS = 3_600_000;

/**
 * What another policy would have made of the end of a history: adaptive, or ksmtuned where adaptive was recorded.
 *
 * @param values the configuration of the host.
 * @param budgetMillis the time that the simulation may take.
 * @returns undefined where too little was recorded, where the simulation does not resemble the record, and where the time is up.
 */
export function policyTrial(
  records: readonly HistoryRecord[],
  values: Values,
  budgetMillis: number,
): PolicyTrial | undefined {
  const segments = lastPolicy(splitRecord(endOf(records)));
  const policy = segments[0]?.policy;
  const millis = segments.reduce((sum, segment) => sum + lengthMillis(segment), 0);
  if (policy === undefined || millis < LEAST_MILLIS || likenessUnknown(segments) !== undefined) return undefined;
  const { meanSavedBytes, ksmd } = summaryOf(segments);
  const other = policy === 'adaptive' ? 'ksmtuned' : 'adaptive';
  const result = inTime(segments, budgetMillis, {
    ...{ asRecorded: values, other: { ...values, KSM_POLICY: other }, nanosPerPage: ksmd.nanosPerPage },
  });
  if (result?.other === undefined || !resembles(result.recorded.figures.meanSavedBytes, meanSavedBytes))
    return undefined;
  const tried = (name: string, { figures }: Replay['recorded']) => {
    return { policy: name, savedBytes: figures.meanSavedBytes, ksmdCpuNanos: figures.ksmdCpuNanos };
  };
  return { millis, recorded: tried(policy, result.recorded), other: tried(other, result.other) };
}

/** The last hours, with the decision that was in force when it began. */
function endOf(records: readonly HistoryRecord[]): readonly HistoryRecord[] {
  const fromMillis = (records.findLast(({ kind }) => kind === 'sample')?.atMillis ?? 0) - LONGEST_MILLIS;
  const inForce = records.findLast(({ kind, atMillis }) => kind === 'decision' && atMillis < fromMillis);
  const end = records.filter(({ atMillis }) => atMillis >= fromMillis);
  return inForce === undefined ? end : [{ ...inForce, atMillis: fromMillis }, ...end];
}

/** Those at the end that have one policy. */
function lastPolicy(segments: readonly Segment[]): readonly Segment[] {
  const policy = segments.at(-1)?.policy;
  return segments.slice(segments.findLastIndex((segment) => segment.policy !== policy) + 1);
}

class TimeIsUp extends Error {}

function inTime(
  segments: readonly Segment[],
  budgetMillis: number,
  settings: Omit<ReplaySettings, 'onProgress'>,
): Replay | undefined {
  const deadline = performance.now() + budgetMillis;
  const onProgress = () => {
    if (performance.now() > deadline) throw new TimeIsUp();
  };
  try {
    return replay(segments, { ...settings, onProgress });
  } catch (error) {
    // A policy that only another version has is one that cannot be simulated.
    if (error instanceof TimeIsUp || error instanceof FatalError) return undefined;
    throw error;
  }
}
