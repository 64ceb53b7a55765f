import {
  type MonoTypeOperatorFunction,
  type Observable,
  defer,
  distinctUntilChanged,
  map,
  merge,
  of,
  scan,
  share,
  switchMap,
  tap,
  timer,
} from 'rxjs';
import type { Manager } from '../api/manager.js';
import { inForce } from '../core/hold.js';
import type { Retune } from '../core/retune.js';
import { type AgentState, nextState } from '../core/state.js';
import type { Intents } from './intent.js';
import type { LibvirtState } from '../libvirt/presence.js';

/** Between announcements of what changes at every retune: a policy in a burst retunes twice a second. */
const ANNOUNCE_MILLIS = 2000;

export interface StateSources {
  readonly first: AgentState;
  readonly retune$: Observable<Retune>;
  readonly intents: Intents;
  readonly libvirt$: Observable<LibvirtState>;
}

/** What the agent shows of itself, after everything that changes it. Shared: all subscribers see the same states. */
export function agentStates({ first, retune$, intents, libvirt$ }: StateSources): Observable<AgentState> {
  return merge(
    retune$.pipe(map((retune) => ({ retune, doneAtMillis: Date.now() }))),
    intents.intent$.pipe(
      map(({ hold }) => ({ hold: inForce(hold, Date.now()), configuredPolicy: intents.configuredPolicy })),
    ),
    libvirt$.pipe(
      map(({ up }) => ({ libvirtConnected: up })),
      distinctUntilChanged((a, b) => a.libvirtConnected === b.libvirtConnected),
    ),
  ).pipe(scan(nextState, first), share());
}

/** Shows each state on the bus. What changes at every retune is announced in its time, and its last value always. */
export function publishStates(state$: Observable<AgentState>, manager: Manager): Observable<AgentState> {
  return state$.pipe(
    tap((state) => {
      manager.update(state);
    }),
    atMostEach(ANNOUNCE_MILLIS),
    tap(() => {
      manager.announce();
    }),
  );
}

/** As throttleTime with its last value, but without a timer, which is a wake-up, while nothing comes. */
function atMostEach(millis: number): MonoTypeOperatorFunction<AgentState> {
  return (state$) =>
    defer(() => {
      let last = -Infinity;
      return state$.pipe(
        switchMap((state) => {
          const waitMillis = last + millis - performance.now();
          return waitMillis <= 0 ? of(state) : timer(waitMillis).pipe(map(() => state));
        }),
        tap(() => (last = performance.now())),
      );
    });
}
