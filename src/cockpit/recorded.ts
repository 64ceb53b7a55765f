import type { HistoryRecord } from '../core/history/record.js';
import type { Daemon } from './daemon.js';
import { SPANS, type Span, recordsOf } from './model/history.js';

export interface RecordedSpan {
  readonly records: readonly HistoryRecord[];
  readonly fromMillis: number;
  readonly toMillis: number;
}

/** The daemon's history as far as somebody wanted to see it; what was read once is not asked for again. */
export class Recorded {
  private records: readonly HistoryRecord[] = [];
  /** From when to when all is known. */
  private known: { readonly fromMillis: number; readonly toMillis: number } | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly daemon: Pick<Daemon, 'history'>) {}

  /** Up to now. One question after another. @throws BusError */
  since(span: Span): Promise<RecordedSpan> {
    const answer = this.last.then(() => this.readSince(span));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  private async readSince(span: Span): Promise<RecordedSpan> {
    const toMillis = Date.now();
    const fromMillis = toMillis - SPANS[span];
    const { known } = this;
    if (known !== undefined && known.fromMillis <= fromMillis) {
      // A record may be written a moment after its time.
      const newest = this.records.at(-1)?.atMillis ?? known.fromMillis;
      this.records = [...this.records.filter(({ atMillis }) => atMillis < newest), ...(await this.read(newest))];
      this.known = { fromMillis: known.fromMillis, toMillis };
    } else {
      this.records = await this.read(fromMillis);
      this.known = { fromMillis, toMillis };
    }
    return { records: this.records, fromMillis, toMillis };
  }

  private async read(sinceMillis: number): Promise<readonly HistoryRecord[]> {
    const all: HistoryRecord[] = [];
    for await (const lines of this.daemon.history(sinceMillis)) all.push(...recordsOf(lines));
    return all;
  }
}
