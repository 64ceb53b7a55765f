import { type Observable, map, scan, tap } from 'rxjs';
import { type HistoryMemory, type HistoryRecord, recordsOf } from '../core/history/record.js';
import type { Retune } from '../core/retune.js';
import type { HistoryStore } from '../state/history/store.js';

interface Recorded {
  readonly memory: HistoryMemory | undefined;
  readonly records: readonly HistoryRecord[];
}

/** Puts every retune into the history; gives what was recorded of it. */
export function recordHistory(
  retune$: Observable<Retune>,
  store: Pick<HistoryStore, 'add'>,
): Observable<readonly HistoryRecord[]> {
  return retune$.pipe(
    scan(
      ({ memory }: Recorded, retune): Recorded => {
        const [next, records] = recordsOf(memory, retune, Date.now());
        return { memory: next, records };
      },
      { memory: undefined, records: [] },
    ),
    map(({ records }) => records),
    tap((records) => {
      void store.add(records, Date.now());
    }),
  );
}
