import {
  type Observable,
  Subject,
  auditTime,
  catchError,
  concatMap,
  exhaustMap,
  filter,
  firstValueFrom,
  from,
  groupBy,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  scan,
  shareReplay,
  startWith,
  tap,
  timer,
  withLatestFrom,
} from 'rxjs';
import { messageOf } from '../../errors.js';
import { Daemon } from '../../api/client.js';
import type { MemoryAccounting } from '../../core/memory.js';
import type { RetuneReply } from '../../api/replies.js';
import { type Means, print } from '../../text/cells.js';
import { frame } from './frame.js';
import { HostReader } from './host.js';
import { type WatchEvent, type WatchState, initialWatch, nextWatch } from './model.js';
import type { Screen } from '../../text/screen.js';
import { type Sources, daemonEvents, guestEvents, historyEvent, hostEvent } from './sources.js';

const TICK_MILLIS = 1000;
/** Frames follow each other no faster than an eye takes them in. */
const LEAST_FRAME_MILLIS = 40;
const CTRL_C = '\u0003';
/** Those that do something else than quit. */
const KEYS = ['r', 'p', '?', 'h'];

/** Shows `screen` what goes on, until somebody quits. @returns the exit status. */
export async function watchLive(sources: Sources, screen: Screen, hostName: string, means: Means): Promise<number> {
  const quit$ = screen.key$.pipe(
    filter((key) => ['q', 'Q', CTRL_C].includes(key)),
    map(() => 0),
  );
  const said$ = new Subject<WatchEvent>();
  const start = initialWatch(hostName, Date.now());
  const state$ = merge(happenings(sources), said$).pipe(
    scan(nextWatch, start),
    startWith(start),
    shareReplay({ bufferSize: 1, refCount: true }),
  );
  const answer$ = screen.key$.pipe(
    map((key) => key.toLowerCase()),
    filter((key) => KEYS.includes(key)),
    withLatestFrom(state$),
    groupBy(([key]) => key),
    // A key that is held down asks once, and again when that is done.
    mergeMap((same$) => same$.pipe(exhaustMap(([key, state]) => pressed(key, state, sources)))),
    tap((event) => {
      said$.next(event);
    }),
  );
  const redraw$ = screen.redraw$.pipe(
    withLatestFrom(state$),
    map(([, state]) => state),
  );
  const frame$ = merge(state$, redraw$).pipe(
    auditTime(LEAST_FRAME_MILLIS),
    tap((state) => {
      const { unicode } = means;
      screen.draw(frame(state, { ...screen.size, unicode, keys: true }).map((line) => print(line, means)));
    }),
  );
  return firstValueFrom(merge(quit$, screen.end$, merge(frame$, answer$).pipe(ignoreElements())), { defaultValue: 0 });
}

/** Everything that comes by itself. */
function happenings(sources: Sources): Observable<WatchEvent> {
  const reader = new HostReader(sources.root);
  let accounting: MemoryAccounting = 'corrected';
  const daemon$ = from(historyEvent(sources)).pipe(
    concatMap((recorded) =>
      merge(
        of(recorded),
        daemonEvents(sources, (reported) => {
          accounting = reported;
        }),
      ),
    ),
  );
  const host$ = timer(0, TICK_MILLIS).pipe(
    concatMap(() => [{ kind: 'tick', nowMillis: Date.now() } as const, hostEvent(reader, accounting)]),
  );
  return merge(host$, daemon$, guestEvents(sources));
}

function pressed(key: string, state: WatchState, sources: Sources): Observable<WatchEvent> {
  if (key === '?' || key === 'h' || state.help) return of({ kind: 'help', shown: !state.help });
  if (key === 'r') return command(state, sources, 'a retune is requested', (daemon) => daemon.command('Retune'));
  const held = state.daemon !== undefined && state.daemon.hold !== '';
  return held
    ? command(state, sources, 'resuming', (daemon) => daemon.command('Resume'))
    : command(state, sources, 'pausing', (daemon) => daemon.command('Pause', 't', [0n]));
}

/** Has the daemon do something, where it is there: it is not started for that. */
function command(
  { away }: WatchState,
  { bus }: Sources,
  doing: string,
  act: (daemon: Daemon) => Promise<RetuneReply>,
): Observable<WatchEvent> {
  if (away !== undefined) return of({ kind: 'notice', text: away.why, bad: true });
  const done$ = from(Daemon.with(bus, act)).pipe(
    map(({ changes }): WatchEvent => {
      return { kind: 'notice', text: `done: ${changes.join(', ') || 'nothing had to be changed'}`, bad: false };
    }),
    catchError((error: unknown) =>
      of<WatchEvent>({ kind: 'notice', text: messageOf(error).split('\n')[0] ?? '', bad: true }),
    ),
  );
  return merge(of<WatchEvent>({ kind: 'notice', text: doing, bad: false }), done$);
}
