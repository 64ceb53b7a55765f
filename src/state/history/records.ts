import type { HistoryRecord } from '../../core/history/record.js';
import type { HistoryLosses, TakeLine } from './file.js';
import { decodeLine } from './lines.js';

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
