import type { GuestChange } from '../guest.js';
import { describeWrite } from '../ksm.js';
import type { Retune } from '../retune.js';
import { savingsOfSample } from '../sample.js';

/** What the history keeps of a sample. A value that the kernel does not report is undefined. */
export interface HistorySample {
  readonly kind: 'sample';
  /** Milliseconds since 1970, as everywhere in the history. */
  readonly atMillis: number;
  /** All that merging gives back, in bytes; `freedBytes` is part of it. */
  readonly savedBytes: number;
  /** What splits of huge pages gave back, which no counter of KSM shows; 0 in records of versions that did not know. */
  readonly freedBytes: number;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Memory of all guests that is in RAM. */
  readonly committedBytes: number;
  readonly guestCount: number;
  /** As the retune left it. */
  readonly run: number;
  /** What is saved less KSM's own records; below 0 where KSM costs more. Undefined where the kernel does not report it. */
  readonly profitBytes: number | undefined;
  /** CPU time that ksmd has used since boot. */
  readonly ksmdCpuNanos: number | undefined;
  /** Pages that ksmd has scanned since boot. */
  readonly pagesScanned: number | undefined;
}

/** A decision with another reason than the one before, unless it is routine; the first of every start is one. */
export interface HistoryDecision {
  readonly kind: 'decision';
  readonly atMillis: number;
  readonly policy: string;
  /** A Reason of this version or another's, or `failed` where a retune came to no decision. */
  readonly reason: string;
  readonly sentence: string;
  /** What was written to the kernel, as "run 0 -> 1"; in a dry run what would have been. */
  readonly changes: readonly string[];
}

/** A guest that came, went or changed its size, at the time of the retune that took notice of it. */
export interface HistoryGuestEvent {
  readonly kind: 'guest';
  readonly atMillis: number;
  readonly name: string;
  readonly change: GuestChange;
}

export type HistoryRecord = HistorySample | HistoryDecision | HistoryGuestEvent;

/** The reason of a retune that came to no decision. */
export const FAILED = 'failed';

/**
 * One sample is recorded in each span of this length, however often samepaged retunes, and one with each recorded decision that
 * sets `run` to something else.
 */
export const SAMPLE_SLOT_MILLIS = 10_000;

/** The longest texts of a record, in UTF-16 units: what a record takes is bounded, whatever guests are called. */
export const LONGEST_TEXT = { name: 80, word: 40, sentence: 300, changes: 300 } as const;

/** What is remembered from one retune to the next. */
export interface HistoryMemory {
  readonly slot: number;
  /** Of the decision that was recorded last. */
  readonly policy: string;
  readonly reason: string;
  readonly run: number | undefined;
}

/**
 * A retune as records: its guest events, a decision that is another than before, and a sample now and then.
 *
 * @param nowMillis the time of a retune that has no sample.
 */
export function recordsOf(
  memory: HistoryMemory | undefined,
  retune: Retune,
  nowMillis: number,
): readonly [HistoryMemory, readonly HistoryRecord[]] {
  const failed = 'failure' in retune;
  const atMillis = failed ? nowMillis : retune.sample.takenAtMillis;
  const events = retune.triggers.flatMap((trigger): HistoryGuestEvent[] => {
    if (trigger.kind !== 'guest') return [];
    return [{ kind: 'guest', atMillis, name: clean(trigger.event.name, 'name'), change: trigger.event.change }];
  });
  const run = failed ? undefined : retune.decision.settings.run;
  const made = { policy: clean(retune.policy, 'word'), reason: reasonOf(retune), run };
  const routine = !failed && retune.decision.routine === true;
  const tells = memory === undefined || isWorthRecording(memory, made, routine);
  const slot = failed ? (memory?.slot ?? -1) : Math.floor(atMillis / SAMPLE_SLOT_MILLIS);
  const switches = tells && memory?.run !== made.run;
  const samples = !failed && (slot !== memory?.slot || switches) ? [sampleOf(retune)] : [];
  return [
    { ...(tells ? made : memory), slot },
    [...events, ...(tells ? [decisionOf(retune, atMillis)] : []), ...samples],
  ];
}

/** What only follows measurements, as a probe now and then, is no news, unless it shows that decisions are made again. */
function isWorthRecording(
  before: Omit<HistoryMemory, 'slot'>,
  made: Omit<HistoryMemory, 'slot'>,
  routine: boolean,
): boolean {
  if (routine) return before.policy !== made.policy || before.reason === FAILED;
  return before.policy !== made.policy || before.reason !== made.reason || before.run !== made.run;
}

function reasonOf(retune: Retune): string {
  return 'failure' in retune ? FAILED : clean(retune.decision.reason, 'word');
}

function decisionOf(retune: Retune, atMillis: number): HistoryDecision {
  const policy = clean(retune.policy, 'word');
  if ('failure' in retune) {
    const sentence = clean(retune.failure.message, 'sentence');
    return { kind: 'decision', atMillis, policy, reason: reasonOf(retune), sentence, changes: [] };
  }
  const { decision, applied } = retune;
  return {
    kind: 'decision',
    atMillis,
    policy,
    reason: reasonOf(retune),
    sentence: clean(decision.sentence, 'sentence'),
    changes: bounded(applied.writes.map(describeWrite)),
  };
}

function sampleOf({ sample, applied }: Extract<Retune, { sample: unknown }>): HistorySample {
  const { ksm, memory, guests } = sample;
  const { savedBytes, freedBytes, profitBytes } = savingsOfSample(sample);
  const runWritten =
    applied.dryRun === true ? undefined : applied.writes.findLast(({ setting }) => setting === 'run')?.to;
  return {
    kind: 'sample',
    atMillis: sample.takenAtMillis,
    savedBytes,
    freedBytes,
    freeBytes: memory.freeBytes,
    totalBytes: memory.totalBytes,
    committedBytes: memory.committedBytes,
    guestCount: guests.length,
    run: typeof runWritten === 'number' ? runWritten : ksm.run,
    profitBytes: ksm.generalProfit === undefined ? undefined : profitBytes,
    ksmdCpuNanos: sample.ksmdCpuNanos,
    pagesScanned: ksm.pagesScanned,
  };
}

/** Without characters that take six bytes in JSON (controls, halves of a pair): then a UTF-16 unit takes three at most. */
function clean(text: string, limit: keyof typeof LONGEST_TEXT): string {
  const longest = LONGEST_TEXT[limit];
  const short = text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
  return short.replaceAll(/[\p{Cc}\p{Cs}]/gu, '\ufffd');
}

function bounded(changes: readonly string[]): readonly string[] {
  let left: number = LONGEST_TEXT.changes;
  return changes.filter((change) => (left -= change.length) >= 0);
}
