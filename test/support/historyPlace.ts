import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HistoryRecord, HistorySample } from '../../src/core/history/record.js';
import { HistoryStore, type HistoryStoreOptions } from '../../src/state/history/store.js';
import { parsed } from './examples/historyEntries.js';

const SECOND = 1000;
const DAY = 86_400_000;

export const NOW = Date.parse('2026-01-05T12:00:00Z');

/** A store that has nothing to say. */
export const MEMORY_ONLY: HistoryStoreOptions = {
  directory: undefined,
  log: { warn: complain, info: complain },
  nowMillis: NOW,
};

/** A directory of its own for each test, with what a store says. */
export class HistoryPlace implements Disposable {
  readonly parent = mkdtempSync(join(tmpdir(), 'samepaged-history-'));
  readonly directory = join(this.parent, 'state');
  readonly file = join(this.directory, 'history.log');
  readonly told: string[] = [];

  open(nowMillis = NOW): HistoryStore {
    const tell = (level: string) => (text: string) => void this.told.push(`${level}: ${text}`);
    return new HistoryStore({ directory: this.directory, log: { warn: tell('warn'), info: tell('info') }, nowMillis });
  }

  [Symbol.dispose](): void {
    rmSync(this.parent, { recursive: true, force: true });
  }
}

export function sampleAt(atMillis: number): HistorySample {
  const bytes = Math.round(13e9 + (atMillis % 977) * 1e6);
  return {
    ...{ kind: 'sample', atMillis, savedBytes: bytes, freeBytes: 34e9 - bytes, totalBytes: 33_501_000_000 },
    ...{ committedBytes: 20_293_720_474, guestCount: 13, run: 1, freedBytes: 0, profitBytes: bytes - 2e8 },
    ...{ ksmdCpuNanos: 1_030_905_201_696, pagesScanned: 383_902_082 },
  };
}

/** Fills a store with a sample each 10 s until NOW, in hundreds; the largest `sizeBytes()` on the way. */
export async function fullDetail(store: HistoryStore, days: number, sizeBytes = () => 0): Promise<number> {
  let largest = 0;
  for (let at = NOW - days * DAY; at < NOW; at += 1000 * SECOND) {
    const hundred = Array.from({ length: 100 }, (_, index) => sampleAt(at + index * 10 * SECOND));
    await store.add(hundred, at + 990 * SECOND);
    largest = Math.max(largest, sizeBytes());
  }
  return largest;
}

export function recordsIn(store: HistoryStore): HistoryRecord[] {
  return parsed(Buffer.from(store.since(0).text)).entries.map(({ record }) => record);
}

function complain(text: unknown): void {
  throw new Error(String(text));
}
