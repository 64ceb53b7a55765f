import { watch } from 'node:fs';
import {
  EMPTY,
  type Observable,
  distinctUntilChanged,
  endWith,
  exhaustMap,
  finalize,
  firstValueFrom,
  from,
  ignoreElements,
  map,
  merge,
  share,
  switchMap,
  take,
  takeWhile,
  tap,
  timer,
} from 'rxjs';
import type { Config } from '../config/load.js';
import { messageOf } from '../errors.js';
import { type RunningDaemon, excludesOthers, findDaemons } from '../host/daemons.js';
import type { KsmDirectory } from '../host/ksm.js';
import { OFTEN_IDLE_TUNERS, TUNERS } from '../host/rivals.js';
import type { Root } from '../host/sysfs.js';
import type { Log } from '../log.js';
import { familiesOfStandBy } from '../metrics/families.js';
import { VERSION } from '../version.js';
import { keepServing } from './serveMetrics.js';
import { endSignals, rivalText } from './shutdown.js';

/** Who tunes KSM is looked for in /proc so often. */
const LOOK_MILLIS = 30_000;
/**
 * Who may tune here and has not written to KSM's files for so long does not tune. virt-handler writes every ten minutes
 * (pkg/virt-handler/ksm of KubeVirt), Harvester's node manager every minute (pkg/ksmtuned).
 */
const QUIET_MILLIS = 25 * 60_000;
/** What all of them write, also where the value stays. */
const WATCHED = ['run', 'pages_to_scan', 'sleep_millisecs'];

export interface OthersOptions {
  readonly root: Root;
  readonly ksm: Pick<KsmDirectory, 'path'>;
  /** One of those that often are idle, of which is known that it tunes. */
  readonly tuning: RunningDaemon | undefined;
  readonly onBlind: (why: string) => void;
  readonly lookMillis?: number;
  readonly quietMillis?: number;
}

/** Why KSM is left to others, now and whenever that changes; completes as soon as nobody else tunes it. */
export function othersTuning({
  root,
  ksm,
  tuning,
  onBlind,
  lookMillis = LOOK_MILLIS,
  quietMillis = QUIET_MILLIS,
}: OthersOptions): Observable<string> {
  let writtenAt = performance.now();
  const watches = tuning === undefined ? [] : WATCHED.map((name) => watched(`${ksm.path}/${name}`));

  function watched(path: string): { close(): void } {
    try {
      return watch(path, { persistent: false }, () => (writtenAt = performance.now()));
    } catch (error) {
      onBlind(messageOf(error));
      return { close: () => undefined };
    }
  }

  const reason = (daemons: readonly RunningDaemon[]): string | undefined => {
    const others = daemons.filter(({ pid }) => pid !== process.pid);
    const rival =
      others.find(excludesOthers) ??
      (performance.now() - writtenAt < quietMillis ? others.find(({ name }) => name === tuning?.name) : undefined);
    return rival && rivalText(rival);
  };
  return timer(0, lookMillis).pipe(
    exhaustMap(() => from(findDaemons(root, TUNERS))),
    map(reason),
    takeWhile((text) => text !== undefined),
    distinctUntilChanged(),
    finalize(() => {
      for (const each of watches) each.close();
    }),
  );
}

/** Who may be idle, where KSM runs already and no samepaged has started it. */
export function tunesAlready(
  others: readonly RunningDaemon[],
  { isRunning, isOurs }: { readonly isRunning: boolean; readonly isOurs: boolean },
): RunningDaemon | undefined {
  return isRunning && !isOurs ? others.find(({ name }) => OFTEN_IDLE_TUNERS.includes(name)) : undefined;
}

export interface StandByOptions extends Omit<OthersOptions, 'onBlind'> {
  readonly config: Config;
  readonly signal$: Observable<NodeJS.Signals>;
  readonly log: Log;
}

/** Waits while others tune KSM, and serves why. Resolves to whether samepaged may tune now; false: a signal ends it. */
export async function standBy({ config, signal$, log, ...options }: StandByOptions): Promise<boolean> {
  let why: string | undefined;
  const reason$ = othersTuning({
    ...options,
    onBlind: (blind) => {
      log.warn(
        `writes to KSM's files are not seen (${blind}): samepaged tries again after ${QUIET_MILLIS / 60_000} min`,
      );
    },
  }).pipe(
    tap((text) => {
      why = text;
      log.warn(`${text}: samepaged stands by, changes nothing, and takes over when that has ended`);
    }),
    share(),
  );
  const address = config.values.KSM_METRICS_LISTEN;
  const pages = {
    metrics: async () => (await import('../metrics/page.js')).pageOf(familiesOfStandBy(VERSION)),
    notReady: () => why,
    notAlive: () => undefined,
  };
  const name = () => `KSM_METRICS_LISTEN=${config.origins.KSM_METRICS_LISTEN.text}`;
  const serving$ = address === null ? EMPTY : keepServing(address, pages, { name, log });
  const isFree = await firstValueFrom(
    merge(
      reason$.pipe(
        take(1),
        switchMap(() => serving$),
        ignoreElements(),
      ),
      reason$.pipe(ignoreElements(), endWith(true)),
      endSignals(signal$).pipe(map(() => false)),
    ),
    { defaultValue: false },
  );
  if (isFree && why !== undefined) log.info('no other program tunes KSM any more: samepaged takes over');
  return isFree;
}
