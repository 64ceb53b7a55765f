import { readFileSync } from 'node:fs';
import type { HistoryRecord } from '../../../src/core/history/record.js';
import { type HistoryLosses, parseHistory } from '../../../src/state/history/file.js';
import { decodeLine } from '../../../src/state/history/lines.js';

/** All that is in a history, in one piece. */
export interface HistoryContent extends HistoryLosses {
  readonly entries: readonly { readonly record: HistoryRecord; readonly text: string }[];
}

export function parsed(bytes: Buffer): HistoryContent {
  const entries: { record: HistoryRecord; text: string }[] = [];
  const losses = parseHistory(bytes, (line) => {
    const record = decodeLine(line);
    if (record !== undefined) entries.push({ record, text: line.text });
  });
  return { ...losses, entries };
}

export function parsedFile(path: string): HistoryContent {
  return parsed(readFileSync(path));
}
