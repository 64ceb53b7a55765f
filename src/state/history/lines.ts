import { crc32 } from 'node:zlib';
import { itemsOf, recordOf } from '../../core/history/items.js';
import type { HistoryRecord } from '../../core/history/record.js';

/** A record as a line of the history's file. */
export interface HistoryLine {
  readonly kind: HistoryRecord['kind'];
  readonly atMillis: number;
  /** With its newline. */
  readonly text: string;
}

/** The sum and the space after it, in characters. */
const SUM_LENGTH = 9;
/** What a Date can hold. */
const LATEST_MILLIS = 8.64e15;

/**
 * A line is the CRC-32 of its JSON in eight hexadecimal digits, a space, the JSON and a newline. The JSON is an array: what
 * it is, the time, then the values in the order of core/history.ts.
 *
 *     bcbfe559 ["s",1767603600000,13421772800,3328599654,25232932864,20401094656,13,1,13153337344,81650000000,98765432]
 *     b9c9f534 ["d",1767603600000,"ksmtuned","free-below-reserve","guests use ...: merging",["run 0 -> 1"]]
 *     72203bac ["g",1767603600000,"started","web03"]
 */
export function encodeLine(record: HistoryRecord): HistoryLine {
  const json = JSON.stringify(itemsOf(record));
  const sum = crc32(json).toString(16).padStart(8, '0');
  return { kind: record.kind, atMillis: record.atMillis, text: `${sum} ${json}\n` };
}

/** What every line begins with: its sum, what it is, and its time. */
const HEAD = /^([0-9a-f]{8}) \["(\w+)",(\d{1,16})[,\]]/;
const LONGEST_HEAD = 64;
const KINDS = new Map<string, HistoryLine['kind']>([
  ['s', 'sample'],
  ['d', 'decision'],
  ['g', 'guest'],
]);

/**
 * A line that is as it was written. `damaged`: it is not; `foreign`: another version of samepaged wrote it.
 *
 * @param bytes with the newline, where there is one.
 */
export function readLine(bytes: Buffer): HistoryLine | 'damaged' | 'foreign' {
  const text = bytes.toString('utf8');
  const [, sum = '', tag = '', time = ''] = HEAD.exec(text.slice(0, LONGEST_HEAD)) ?? [];
  const end = text.endsWith('\n') ? bytes.length - 1 : bytes.length;
  if (sum === '' || crc32(bytes.subarray(SUM_LENGTH, end)) !== Number.parseInt(sum, 16)) return 'damaged';
  const kind = KINDS.get(tag);
  const atMillis = Number(time);
  if (kind === undefined || atMillis > LATEST_MILLIS) return 'foreign';
  return { kind, atMillis, text: end === bytes.length ? `${text}\n` : text };
}

/** The record of a line; undefined where another version of samepaged says it in another way. */
export function decodeLine({ text }: HistoryLine): HistoryRecord | undefined {
  return recordOf(parseJson(text.slice(SUM_LENGTH)));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
