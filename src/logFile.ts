import type { FileHandle } from 'node:fs/promises';
import { diskInTurn } from './host/diskInTurn.js';
import { openToAppend } from './plainFile.js';

const inTurn = diskInTurn();

/** A file that lines are added to. Nobody waits for its disk: the first write that fails or is overdue is the last. */
export class LogFile {
  readonly path: string;
  private readonly lost: (error: unknown, unwritten: readonly string[]) => void;
  private handle: FileHandle | undefined;
  private isLost = false;
  private last: Promise<void>;
  private readonly unwritten: string[] = [];

  /** @param lost called once, when no more is written. */
  constructor(path: string, lost: (error: unknown, unwritten: readonly string[]) => void) {
    this.path = path;
    this.lost = lost;
    this.last = this.attempt(async () => {
      this.handle = await openToAppend(path, 0o640);
    });
  }

  write(text: string): void {
    this.unwritten.push(text);
    this.last = this.attempt(async () => {
      await this.handle?.appendFile(text);
      this.unwritten.shift();
    });
  }

  close(): void {
    this.last = this.attempt(async () => this.handle?.close());
  }

  /** Until all of it is written, or lost. */
  async written(): Promise<void> {
    await this.last;
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await inTurn(this.path, async () => {
        // What was asked for before a write failed comes after it.
        if (!this.isLost) await work().catch(this.giveUp);
      });
    } catch (overdue) {
      this.giveUp(overdue);
    }
  }

  private readonly giveUp = (error: unknown): void => {
    if (this.isLost) return;
    this.isLost = true;
    // What is overdue is closed when it has ended.
    this.handle?.close().catch(() => undefined);
    this.lost(error, this.unwritten);
  };
}
