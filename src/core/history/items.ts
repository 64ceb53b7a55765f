import { isGuestChange } from '../guest.js';
import type { HistoryRecord } from './record.js';

/** A record as the array that a line of the history is: what it is, the time, then the values. */
export function itemsOf(record: HistoryRecord): readonly unknown[] {
  switch (record.kind) {
    case 'sample': {
      const { savedBytes, freeBytes, totalBytes, committedBytes, guestCount, run } = record;
      const { profitBytes, ksmdCpuNanos, pagesScanned, freedBytes } = record;
      return [
        ...['s', record.atMillis, savedBytes, freeBytes, totalBytes, committedBytes, guestCount, run],
        ...[profitBytes, ksmdCpuNanos, pagesScanned].map((value) => value ?? null),
        ...(freedBytes > 0 ? [freedBytes] : []),
      ];
    }
    case 'decision':
      return ['d', record.atMillis, record.policy, record.reason, record.sentence, record.changes];
    case 'guest':
      return ['g', record.atMillis, record.change, record.name];
  }
}

/** The record of such an array; undefined where another version of samepaged says it in another way. */
export function recordOf(items: unknown): HistoryRecord | undefined {
  if (!Array.isArray(items)) return undefined;
  const [tag, atMillis, ...values] = items as readonly unknown[];
  if (!isNumber(atMillis)) return undefined;
  switch (tag) {
    case 's':
      return sampleOf(atMillis, values);
    case 'd':
      return decisionOf(atMillis, values);
    case 'g':
      return guestEventOf(atMillis, values);
    default:
      return undefined;
  }
}

function sampleOf(atMillis: number, values: readonly unknown[]): HistoryRecord | undefined {
  const [savedBytes, freeBytes, totalBytes, committedBytes, guestCount, run, ...counters] = values;
  if (!isNumber(savedBytes) || !isNumber(freeBytes) || !isNumber(totalBytes)) return undefined;
  if (!isNumber(committedBytes) || !isNumber(guestCount) || !isNumber(run)) return undefined;
  const [profitBytes, ksmdCpuNanos, pagesScanned, freedBytes = 0] = counters;
  if (!isNumber(freedBytes) || !isTold(profitBytes) || !isTold(ksmdCpuNanos) || !isTold(pagesScanned)) return undefined;
  return {
    ...{ kind: 'sample', atMillis, savedBytes, freeBytes, totalBytes, committedBytes, guestCount, run },
    freedBytes,
    profitBytes: profitBytes ?? undefined,
    ksmdCpuNanos: ksmdCpuNanos ?? undefined,
    pagesScanned: pagesScanned ?? undefined,
  };
}

function decisionOf(atMillis: number, [policy, reason, sentence, changes]: readonly unknown[]) {
  if (!isText(policy) || !isText(reason) || !isText(sentence)) return undefined;
  if (!Array.isArray(changes) || !changes.every(isText)) return undefined;
  return { kind: 'decision', atMillis, policy, reason, sentence, changes } as const;
}

function guestEventOf(atMillis: number, [change, name]: readonly unknown[]) {
  if (!isGuestChange(change) || !isText(name)) return undefined;
  return { kind: 'guest', atMillis, name, change } as const;
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function isTold(value: unknown): value is number | null {
  return value === null || isNumber(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
