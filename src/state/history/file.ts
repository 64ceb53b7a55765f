import { closeSync, constants, fstatSync, readSync } from 'node:fs';
import { plural } from '../../core/format.js';
import { openPlain } from '../../plainFile.js';
import { STATE_FILES } from '../directory.js';
import { decodeLine, type HistoryLine, readLine } from './lines.js';
import type { HistoryRecord } from '../../core/history/record.js';

/** Twice what samepaged lets the file grow to: of a larger one, which is not its work, only the end is read. */
const LONGEST_READ_BYTES = 16 * 1024 ** 2;

const NEWLINE = 0x0a;

export type TakeLine = (line: HistoryLine) => void;

/** What there was in a history beside the lines that were taken. */
export interface HistoryLosses {
  /** The numbers, from 1, of the lines that are not as they were written. */
  readonly damaged: readonly number[];
  /** How many lines another version of samepaged wrote, which this one cannot read. */
  readonly foreign: number;
  /** Whether the last line has no newline, and whether it can be read all the same. */
  readonly tail: 'complete' | 'unended' | 'torn';
}

/** Where samepaged keeps its history. */
export function historyPath(stateDirectory: string): string {
  return `${stateDirectory}/${STATE_FILES.history}`;
}

/** @throws Error with its errno when the file cannot be read, or is not there. */
export function readHistoryFile(path: string, take: TakeLine): HistoryLosses {
  const file = openPlain(path, constants.O_RDONLY);
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, LONGEST_READ_BYTES));
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(file, bytes, length, bytes.length - length, size - bytes.length + length);
      if (read === 0) break;
      length += read;
    }
    return parseHistory(bytes.subarray(0, length), take);
  } finally {
    closeSync(file);
  }
}

/** Everything that can be read, whatever happened to the rest. */
export function parseHistory(bytes: Buffer, take: TakeLine): HistoryLosses {
  const damaged: number[] = [];
  let foreign = 0;
  let tail: HistoryLosses['tail'] = 'complete';
  let number = 0;
  for (let at = 0; at < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline + 1;
    const line = newline === at ? undefined : readLine(bytes.subarray(at, end));
    at = end;
    number += 1;
    if (newline < 0) tail = line === 'damaged' ? 'torn' : 'unended';
    if (line === 'foreign') foreign += 1;
    else if (line === 'damaged') damaged.push(...(newline < 0 ? [] : [number]));
    else if (line !== undefined) take(line);
  }
  return { damaged, foreign, tail };
}

/** What could not be read, in sentences that name the file and its lines; a torn last line is not among them. */
export function describeLosses(path: string, { damaged, foreign }: HistoryLosses): readonly string[] {
  const [first, ...more] = damaged;
  const others = more.length === 0 ? '' : `, as ${plural(more.length, 'more line')} up to ${more.at(-1) ?? ''}`;
  return [
    ...(first === undefined ? [] : [`${path}:${first}: damaged and left out${others}`]),
    ...(foreign === 0 ? [] : [`${path}: ${plural(foreign, 'line')} of another version of samepaged left out`]),
  ];
}

/** The records of the lines that `read` finds, and what there was beside them. */
export function recordsFrom(read: (take: TakeLine) => HistoryLosses): {
  readonly records: readonly HistoryRecord[];
  readonly losses: HistoryLosses;
} {
  const records: HistoryRecord[] = [];
  let foreign = 0;
  const losses = read((line) => {
    const record = decodeLine(line);
    if (record === undefined) foreign += 1;
    else records.push(record);
  });
  return { records, losses: { ...losses, foreign: losses.foreign + foreign } };
}
