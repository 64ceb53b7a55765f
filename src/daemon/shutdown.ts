import { writeSync } from 'node:fs';
import {
  type Observable,
  type Unsubscribable,
  delay,
  filter,
  map,
  merge,
  shareReplay,
  switchMap,
  take,
  timer,
} from 'rxjs';
import { describeWrite } from '../core/ksm.js';
import { EXIT, type ExitStatus, stackOf } from '../errors.js';
import type { RunningDaemon } from '../host/daemons.js';
import type { Log } from '../log.js';
import type { OnExit, Tuner } from './tuner.js';

export interface End {
  readonly status: ExitStatus;
  readonly reason: string;
  /** For whom KSM was given up; undefined where the process ends. */
  readonly rival?: RunningDaemon;
}

export interface EndSources {
  readonly signal$: Observable<NodeJS.Signals>;
  /** Faults that nobody caught. */
  readonly fault$: Observable<unknown>;
  /** Another program that tunes KSM, beside which samepaged stands by. */
  readonly rival$: Observable<RunningDaemon>;
}

/** The signals that end the process. */
export function endSignals(signal$: Observable<NodeJS.Signals>): Observable<NodeJS.Signals> {
  return signal$.pipe(filter((signal) => signal === 'SIGTERM' || signal === 'SIGINT'));
}

export function rivalText({ name, pid }: RunningDaemon): string {
  return `${name} (pid ${pid}) tunes KSM on this host`;
}

/** What ends the agent: the first of a signal, a fault and a rival. Later subscribers get it too. */
export function firstEnd({ signal$, fault$, rival$ }: EndSources): Observable<End> {
  return merge(
    endSignals(signal$).pipe(map((signal) => ({ status: EXIT.ok, reason: signal }))),
    fault$.pipe(map((fault) => ({ status: EXIT.software, reason: `a fault of samepaged: ${stackOf(fault)}` }))),
    rival$.pipe(map((rival) => ({ status: EXIT.ok, reason: rivalText(rival), rival }))),
  ).pipe(take(1), shareReplay({ bufferSize: 1, refCount: false }));
}

/** A retune under way at the end is waited for so long; what it has not written by then it does not write. */
export const LAST_RETUNE_MILLIS = 4000;
const LONGEST_END_MILLIS = 10_000;
const STDERR = 2;

/**
 * Ends the process by force when it has not ended in time: something hangs in the kernel, or in a library. An unmerge is
 * waited for.
 *
 * @returns what takes it back, for an end of the agent that is none of the process.
 */
export function endByForce(end$: Observable<End>, endsLate: () => boolean): Unsubscribable {
  return end$
    .pipe(
      delay(LONGEST_END_MILLIS),
      switchMap(() => timer(0, 1000)),
      filter(() => !endsLate()),
      take(1),
    )
    .subscribe({
      next: () => {
        writeSync(STDERR, `samepaged: stopping takes longer than ${LONGEST_END_MILLIS / 1000} s: ended by SIGKILL\n`);
        process.kill(process.pid, 'SIGKILL');
      },
      // What it comes from ends the agent by itself.
      error: () => undefined,
    });
}

/** Gives the kernel back, and tells what became of it. */
export async function giveBack(
  tuner: Tuner,
  { onExit, log }: { readonly onExit: OnExit; readonly log: Pick<Log, 'info' | 'warn'> },
): Promise<void> {
  const { writes, problems } = await tuner.restore(onExit);
  log.info(`KSM_ON_EXIT=${onExit}: ${writes.map(describeWrite).join(', ') || 'nothing to change'}`);
  for (const { sentence } of problems) log.warn(sentence);
}
