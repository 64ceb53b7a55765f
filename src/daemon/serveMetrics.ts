import {
  EMPTY,
  type Observable,
  ReplaySubject,
  combineLatest,
  distinctUntilChanged,
  exhaustMap,
  filter,
  from,
  ignoreElements,
  map,
  merge,
  retry,
  scan,
  skipWhile,
  switchMap,
  take,
  tap,
  throttleTime,
  timer,
} from 'rxjs';
import type { BusState } from '../api/publish.js';
import { parseNamePatterns } from '../core/forbiddenGuests.js';
import type { GuestEvent } from '../core/guest.js';
import { ksmFile } from '../core/ksm.js';
import type { Trigger } from '../core/trigger.js';
import type { Retune } from '../core/retune.js';
import type { AgentState } from '../core/state.js';
import { messageOf } from '../errors.js';
import { inheritedSockets } from '../host/inheritedSockets.js';
import { Ksmd } from '../host/ksmd.js';
import type { Root } from '../host/sysfs.js';
import type { LibvirtState } from '../libvirt/presence.js';
import type { Log } from '../log.js';
import type { Facts } from '../metrics/facts.js';
import { families } from '../metrics/families.js';
import type { ListenTarget } from '../metrics/listen.js';
import type { Pages } from '../metrics/server.js';
import { takeReadings } from '../metrics/readings.js';
import { type Countable, type Peer, firstTally, nextTally } from '../metrics/tally.js';
import type { GuestDetailsReader } from './guestDetails.js';
import type { Intents } from './intent.js';

/** However many ask, a page is made once in this time. */
const PAGE_MILLIS = 1000;
/** An address may be there later, as the network's at boot. */
const RETRY_MILLIS = 30_000;
/** Guests that start together are looked at together. */
const LOOK_MILLIS = 2000;
/** A retune that is so much later than announced hangs; the unit's watchdog has the same patience. */
const PATIENCE_MILLIS = 5 * 60_000;

export interface MetricsOptions {
  readonly root: Root;
  readonly first: AgentState;
  readonly intents: Intents;
  readonly guestDetails: GuestDetailsReader;
  readonly usesLibvirt: boolean;
  readonly log: Log;
}

export interface MetricsSources {
  readonly retune$: Observable<Retune>;
  readonly state$: Observable<AgentState>;
  readonly event$: Observable<GuestEvent>;
  readonly bus$: Observable<BusState>;
  readonly libvirt$: Observable<LibvirtState>;
}

/** Counts what happens, from the start on, and makes pages of it: for who connects, and for the bus. */
export class Metrics {
  private readonly options: MetricsOptions;
  private readonly ksmd: Ksmd;
  /** That somebody has asked: only then guests are looked at, and what makes pages is loaded. */
  private readonly wanted$ = new ReplaySubject<void>(1);
  private readonly arrivals = new WeakMap<GuestEvent, number>();
  private state: AgentState;
  private tally;
  private lastRetune: Retune | undefined;
  /** When the next retune is too late. */
  private lateAt = performance.now() + PATIENCE_MILLIS;
  private made: { readonly atMillis: number; readonly page: Promise<string> } | undefined;

  constructor(options: MetricsOptions) {
    this.options = options;
    this.ksmd = new Ksmd(options.root);
    this.state = options.first;
    this.tally = firstTally(options.first.dryRun);
  }

  /** Counts. Emits nothing. */
  count({ retune$, state$, event$, bus$, libvirt$ }: MetricsSources): Observable<never> {
    const peers$ = merge(
      bus$.pipe(map((state) => peer('bus', state.bus !== undefined && state.unpublished === undefined))),
      // A host on which nobody misses libvirt has no connection that could be down.
      this.options.usesLibvirt
        ? libvirt$.pipe(
            skipWhile((state) => !state.up && state.remedy === undefined),
            map(({ up }) => peer('libvirt', up)),
          )
        : EMPTY,
    );
    const retunes$ = retune$.pipe(
      tap((retune) => {
        this.lastRetune = retune;
        this.lateAt = performance.now() + retune.nextInMillis + PATIENCE_MILLIS;
      }),
      map((retune) => ({ retune, latencies: this.latencies(retune) })),
    );
    const tally$ = merge(retunes$, peers$).pipe(
      scan(nextTally, this.tally),
      tap((tally) => (this.tally = tally)),
    );
    const looked$ = combineLatest([this.wanted$.pipe(take(1)), retune$.pipe(filter(mayChangeGuests))]).pipe(
      throttleTime(LOOK_MILLIS, undefined, { leading: true, trailing: true }),
      exhaustMap(() => from(this.options.guestDetails.now())),
    );
    return merge(
      event$.pipe(tap((event) => this.arrivals.set(event, performance.now()))),
      state$.pipe(tap((state) => (this.state = state))),
      tally$,
      looked$,
    ).pipe(ignoreElements());
  }

  /** Serves what the service manager opened and what KSM_METRICS_LISTEN names. Emits nothing, and never errors. */
  serve(): Observable<never> {
    const { intents } = this.options;
    const inherited = inheritedSockets(process.env).map((fd) => this.served({ fd }, () => 'samepaged-metrics.socket'));
    const configured$ = intents.intent$.pipe(
      map(({ values }) => values.KSM_METRICS_LISTEN),
      distinctUntilChanged((a, b) => JSON.stringify(a) === JSON.stringify(b)),
      switchMap((address) =>
        address === null
          ? EMPTY
          : this.served(address, () => {
              const { text, origin } = intents.originOf('KSM_METRICS_LISTEN');
              return `${origin}: KSM_METRICS_LISTEN=${text}`;
            }),
      ),
    );
    return merge(...inherited, configured$).pipe(ignoreElements());
  }

  /** The page, at most a second old. */
  page(): Promise<string> {
    const nowMillis = performance.now();
    if (this.made === undefined || nowMillis - this.made.atMillis >= PAGE_MILLIS) {
      this.made = { atMillis: nowMillis, page: this.make() };
    }
    return this.made.page;
  }

  private async make(): Promise<string> {
    this.wanted$.next();
    const { pageOf } = await import('../metrics/page.js');
    return pageOf(families(this.facts()));
  }

  private facts(): Facts {
    const { root, intents } = this.options;
    const { values } = intents.current;
    return {
      state: this.state,
      tally: this.tally,
      mergeability: this.options.guestDetails.seen?.map(({ process, ...named }) => {
        return { ...named, mergeability: process.mergeability };
      }),
      isConfigurationValid: intents.isValid,
      readings: takeReadings(root, this.ksmd),
      limits: {
        thresholdPercent: values.KSM_THRES_COEF,
        thresholdBytes: values.KSM_THRES_CONST,
        ksmdBudgetRatio: this.state.policy === 'ksmtuned' ? undefined : values.KSM_CPU_MAX / 100,
        forbidden: parseNamePatterns(values.KSM_FORBID_GUESTS),
        withGuests: values.KSM_METRICS_GUESTS,
      },
    };
  }

  private served(target: ListenTarget, name: () => string): Observable<unknown> {
    const pages = { metrics: () => this.page(), notReady: () => this.notReady(), notAlive: () => this.notAlive() };
    return keepServing(target, pages, { name, log: this.options.log }).pipe(
      tap(() => {
        this.wanted$.next();
      }),
    );
  }

  private notReady(): string | undefined {
    const { lastRetune: last } = this;
    if (last === undefined) return 'there is no decision yet';
    if ('failure' in last) return `no decision: ${last.failure.message}`;
    const left = (last.applied.left ?? []).map(ksmFile);
    return left.length > 0 ? `something else tunes KSM: ${left.join(', ')} are left to it` : this.notAlive();
  }

  private notAlive(): string | undefined {
    return performance.now() < this.lateAt ? undefined : 'the retune that is due does not come';
  }

  private latencies(retune: Retune): readonly number[] {
    const nowMillis = performance.now();
    return retune.triggers.flatMap((trigger) => {
      const arrived = trigger.kind === 'guest' ? this.arrivals.get(trigger.event) : undefined;
      return arrived === undefined ? [] : [(nowMillis - arrived) / 1000];
    });
  }
}

/** Serves for as long as it is subscribed to, and tries again where that cannot begin. Emits each time that it begins. */
export function keepServing(
  target: ListenTarget,
  pages: Pages,
  { name, log }: { readonly name: () => string; readonly log: Pick<Log, 'info' | 'warn'> },
): Observable<void> {
  let warned = '';
  return from(import('../metrics/listen.js')).pipe(
    switchMap(({ served }) => served(target, pages)),
    tap(() => {
      log.info(`${name()}: metrics are served`);
      warned = '';
    }),
    retry({
      delay: (error) => {
        const warning = `${name()}: ${messageOf(error)}: no metrics are served there, everything else goes on`;
        if (warning !== warned) log.warn(warning);
        warned = warning;
        return timer(RETRY_MILLIS);
      },
    }),
  );
}

function peer(name: Peer, isUp: boolean): Countable {
  return { peer: name, isUp };
}

const OF_GUESTS: ReadonlySet<Trigger['kind']> = new Set<Trigger['kind']>(['start', 'guest', 'recheck', 'reload']);

function mayChangeGuests({ triggers }: Retune): boolean {
  return triggers.some(({ kind }) => OF_GUESTS.has(kind));
}
