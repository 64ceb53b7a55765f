import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { HistoryRecord } from '../../core/history/record.js';
import { thinned } from '../../core/history/thinning.js';
import { errnoOf, messageOf } from '../../errors.js';
import type { Log } from '../../log.js';
import { openToAppend } from '../../plainFile.js';
import { describeLosses, historyPath, readHistoryFile } from './file.js';
import { type HistoryLine, encodeLine } from './lines.js';
import { inTurn } from '../inTurn.js';
import { makeDirectory } from '../makeDirectory.js';
import { replaceFile } from '../replaceFile.js';
import { isAbsence } from '../../host/sysfs.js';

/** What may be added to a thinned history before it is thinned again: half a day of samples. */
const MOST_ADDED_BYTES = 512 * 1024;
/** A file that could not be written is tried again after this many records: ten minutes at one record each ten seconds. */
const RECORDS_TO_NEXT_TRY = 60;

export interface HistoryPage {
  readonly text: string;
  /** From when on there is more. */
  readonly nextMillis?: number;
}

export interface HistoryStoreOptions {
  /** The state directory; undefined: memory only, as in a dry run. */
  readonly directory: string | undefined;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly nowMillis: number;
}

/**
 * The history: in memory, and in a file that outlives samepaged.
 *
 * INVARIANTS: memory and file stay below 8 MB (core/historyThinning.ts has the reckoning); the file is only ever appended
 * to or replaced as a whole, so a kill at any point costs the lines being written at most. Lines are not fsynced: a kill loses
 * nothing, a loss of power the last half minute. A file that cannot be written is logged once, and never thrown.
 */
export class HistoryStore {
  private readonly path: string | undefined;
  private readonly log: HistoryStoreOptions['log'];
  private lines: HistoryLine[] = [];
  private addedBytes = 0;
  /** Whether the file ends within a line, so that the next must not be written onto it. */
  private unended = false;
  /** Kept open: each call of the file system's wakes a thread up. */
  private file: FileHandle | undefined;
  /** While the file cannot be written: how many records are left until it is tried again. */
  private recordsToNextTry: number | undefined;

  /** Reads what is in the directory. It and the file are made when there is something to write. */
  constructor({ directory, log, nowMillis }: HistoryStoreOptions) {
    this.log = log;
    this.path = directory === undefined ? undefined : historyPath(directory);
    if (this.path === undefined) return;
    try {
      this.load(this.path, nowMillis);
    } catch (error) {
      if (!isAbsence(error)) this.fail(error, 'read');
    }
  }

  /** They are in memory at once, and in the file when the promise is kept. It is never broken. */
  async add(records: readonly HistoryRecord[], nowMillis: number): Promise<void> {
    if (records.length === 0) return;
    const fresh = records.map(encodeLine);
    this.lines.push(...fresh);
    this.addedBytes += sizeOf(fresh);
    const full = this.addedBytes > MOST_ADDED_BYTES;
    if (full) this.thin(nowMillis);
    if (this.path === undefined) return;
    if (this.recordsToNextTry === undefined) return this.write(this.path, full ? undefined : fresh);
    this.recordsToNextTry -= records.length;
    if (this.recordsToNextTry <= 0) return this.write(this.path, undefined);
  }

  /**
   * The records since then, one a line, as they are in the file; parseHistory() reads them. In the order of time, at most
   * `mostBytes`, and no millisecond in part unless it alone is larger.
   */
  since(sinceMillis: number, mostBytes = Infinity): HistoryPage {
    const lines = this.lines.filter(({ atMillis }) => atMillis >= sinceMillis).sort((a, b) => a.atMillis - b.atMillis);
    let bytes = 0;
    const full = lines.findIndex(({ text }) => (bytes += Buffer.byteLength(text)) > mostBytes);
    const first = lines[full];
    if (first === undefined) return { text: textOf(lines) };
    const page = lines.slice(0, full).filter(({ atMillis }) => atMillis < first.atMillis);
    if (page.length > 0) return { text: textOf(page), nextMillis: first.atMillis };
    return { text: textOf(lines.slice(0, full)), nextMillis: first.atMillis + 1 };
  }

  /** Waits until everything is written, as long as the disk answers. */
  async close(): Promise<void> {
    await inTurn(this.path ?? '', async () => {
      await this.file?.close();
      this.file = undefined;
    }).catch(() => undefined);
  }

  private load(path: string, nowMillis: number): void {
    const all: HistoryLine[] = [];
    const losses = readHistoryFile(path, (line) => all.push(line));
    for (const sentence of describeLosses(path, losses)) this.log.warn(sentence);
    if (losses.tail === 'torn')
      this.log.warn(`${path}: the last line was being written when samepaged ended: left out`);
    this.lines = all;
    this.thin(nowMillis);
    this.addedBytes = sizeOf(all) - sizeOf(this.lines);
    this.unended = losses.tail !== 'complete';
    if (losses.damaged.length > 0 || losses.tail === 'torn') void this.write(path, undefined);
  }

  private thin(nowMillis: number): void {
    this.lines = [...thinned(this.lines, nowMillis)];
    this.addedBytes = 0;
  }

  /** Appends `fresh`, or writes the whole file again. */
  private async write(path: string, fresh: readonly HistoryLine[] | undefined): Promise<void> {
    const text = textOf(fresh ?? this.lines);
    try {
      await inTurn(path, () => (fresh === undefined ? this.replace(path, text) : this.append(path, text)));
    } catch (error) {
      this.fail(error, 'written');
      return;
    }
    this.unended = false;
    if (this.recordsToNextTry !== undefined) this.log.info(`${path}: the history is written again`);
    this.recordsToNextTry = undefined;
  }

  private async append(path: string, text: string): Promise<void> {
    if (this.file === undefined) {
      await makeDirectory(dirname(path));
      this.file = await openToAppend(path, 0o644);
      await this.file.chmod(0o644);
    }
    await this.file.appendFile(`${this.unended ? '\n' : ''}${text}`);
  }

  private async replace(path: string, text: string): Promise<void> {
    await this.file?.close();
    this.file = undefined;
    await replaceFile(path, text);
  }

  private fail(error: unknown, what: string): void {
    if (this.recordsToNextTry === undefined) {
      const why = errnoOf(error) ?? messageOf(error);
      this.log.warn(`${this.path ?? ''} cannot be ${what} (${why}): the history is kept in memory only for now`);
    }
    this.recordsToNextTry = RECORDS_TO_NEXT_TRY;
  }
}

function textOf(lines: readonly HistoryLine[]): string {
  return lines.map(({ text }) => text).join('');
}

function sizeOf(lines: readonly HistoryLine[]): number {
  return lines.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
}
