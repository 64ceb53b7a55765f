import { Observable, type OperatorFunction } from 'rxjs';

/**
 * Does `work` once for the first value of the source; values that come meanwhile are together one more time, after it. When
 * the source completes, that last time is still done. An error of `work` ends it.
 *
 * INVARIANTS: what waits is a flag and no value each, and `work` that completes at once is repeated in a loop: neither
 * memory nor stack grows with the number of values.
 */
export function oneAtATime<T>(work: () => Observable<T>): OperatorFunction<unknown, T> {
  return (source$) =>
    new Observable((subscriber) => {
      let isDue = false;
      let isWorking = false;
      let isLooping = false;
      let isComplete = false;
      const go = () => {
        if (isLooping) return;
        isLooping = true;
        while (isDue && !isWorking && !subscriber.closed) {
          isDue = false;
          isWorking = true;
          const done = work().subscribe({
            next: (value) => {
              subscriber.next(value);
            },
            error: (error: unknown) => {
              subscriber.error(error);
            },
            complete: () => {
              isWorking = false;
              go();
            },
          });
          subscriber.add(done);
        }
        isLooping = false;
        if (isComplete && !isWorking) subscriber.complete();
      };
      const source = source$.subscribe({
        next: () => {
          isDue = true;
          go();
        },
        error: (error: unknown) => {
          subscriber.error(error);
        },
        complete: () => {
          isComplete = true;
          go();
        },
      });
      subscriber.add(source);
    });
}
