import {
  EMPTY,
  type Observable,
  Subject,
  combineLatest,
  concatMap,
  delay,
  filter,
  firstValueFrom,
  from,
  ignoreElements,
  endWith,
  lastValueFrom,
  map,
  merge,
  of,
  share,
  shareReplay,
  switchMap,
  take,
  takeUntil,
  tap,
} from 'rxjs';
import type { BusAddress } from '../dbus/address.js';
import { type BusState, joinBus } from '../api/publish.js';
import { MOST_ANSWER_BYTES } from '../api/encode.js';
import { LOG_CONTROL_PATH, LogControl } from '../api/logControl.js';
import { Manager } from '../api/manager.js';
import { OBJECT_PATH } from '../api/names.js';
import { Collector } from './sampler.js';
import { agentCommands } from './commands.js';
import type { Trigger } from '../core/trigger.js';
import { type Retune, retunes } from '../core/retune.js';
import { type AgentState, initialState } from '../core/state.js';
import { type End, LAST_RETUNE_MILLIS, endByForce, firstEnd, giveBack } from './shutdown.js';
import { EXIT } from '../errors.js';
import { GuestDetailsReader } from './guestDetails.js';
import { Guests } from './guests.js';
import { recordHistory } from './recordHistory.js';
import { configChanges } from '../config/watch.js';
import { type RunningDaemon, findDaemons } from '../host/daemons.js';
import { OFTEN_IDLE_TUNERS, TUNERS } from '../host/rivals.js';
import type { HistoryStore } from '../state/history/store.js';
import { GuestProcesses } from '../host/guestProcesses.js';
import { GuestUsers } from '../host/guestUsers.js';
import type { KsmDirectory } from '../host/ksm.js';
import type { FreedBySplitsFile } from '../state/freedBySplits.js';
import type { Ledger } from '../state/ledger.js';
import { ksmStatReader } from '../host/ksmStatReader.js';
import { libvirtIsHere } from '../host/libvirtHere.js';
import { readMemoryFigures } from '../host/meminfo.js';
import { type Root, pageSizeBytes } from '../host/sysfs.js';
import { tellSystemd, type Systemd } from './serviceManager.js';
import { Intents, type IntentsOptions } from './intent.js';
import { Libvirt } from '../libvirt/libvirt.js';
import { type LibvirtState, watchLibvirt } from '../libvirt/presence.js';
import { forbiddenWarnings } from './forbiddenWarnings.js';
import { RetuneReport, busJournal, libvirtJournal } from './journal.js';
import { Metrics } from './serveMetrics.js';
import { planOf, policyObstacle } from '../config/plan.js';
import { agentStates, publishStates } from './publishState.js';
import { Tuner } from './tuner.js';
import { unmergeCheck } from './unmergeCheck.js';

export interface AgentOptions extends IntentsOptions {
  readonly version: string;
  readonly root: Root;
  /** The file that the configuration is read from. */
  readonly configFile: string;
  /** Whether it is read again when it changes. */
  readonly watchesConfig: boolean;
  /** Whether the agent ends when another program begins to tune KSM. */
  readonly standsBy: boolean;
  readonly ksm: KsmDirectory;
  /** Undefined for a dry run. */
  readonly ledger: Ledger | undefined;
  readonly history: HistoryStore;
  /** Undefined in a dry run. */
  readonly freedFile: FreedBySplitsFile | undefined;
  readonly busAddress: BusAddress;
  /** The libvirt-dbus object to watch; undefined for none. */
  readonly libvirtObject: string | undefined;
  /** SIGUSR1, SIGHUP, SIGTERM, SIGINT as they come. */
  readonly signal$: Observable<NodeJS.Signals>;
  /** Faults that nobody caught: the agent restores the host and ends. */
  readonly fault$: Observable<unknown>;
  /** Undefined where nobody waits for news of this process. */
  readonly systemd: Systemd | undefined;
  /** Called before the first retune, when it is sure that no other samepaged is on the bus. */
  readonly onJoined: () => Promise<void>;
  /** Tells a person what was found, at the first retune's outcome; the log then tells only what comes after. */
  readonly onFirst?: (found: FirstRetune) => void;
}

export interface FirstRetune {
  readonly state: AgentState;
  readonly bus: BusState;
  readonly libvirt: LibvirtState;
}

/** The composition root: builds the adapters, joins the streams, runs until something ends it, gives the host back. */
export async function runAgent(options: AgentOptions): Promise<End> {
  const { root, ksm, ledger, logging } = options;
  const { log } = logging;
  const dryRun = ledger === undefined;
  const manual$ = new Subject<Trigger>();
  const rival$ = new Subject<RunningDaemon>();
  const pageSize = pageSizeBytes(root);
  const halfOfMemory = Math.trunc(readMemoryFigures(root).memTotalBytes / pageSize / 2);
  const settings = ksm.readSettings();
  const maxKernelPages = settings.maxKernelPages === undefined ? undefined : halfOfMemory;

  const intents = new Intents(options);
  const { configuredPolicy, current } = intents;
  const policy = current.values.KSM_POLICY;
  const { version, configFile } = options;
  const first = initialState({ version, policy, configuredPolicy, configFile, dryRun });
  const obstacle = (): string | undefined =>
    unmergeCheck({ root, ksm, pageSizeBytes: pageSize, watched: collector.watched });
  const manager = new Manager(
    first,
    agentCommands({
      intents,
      retune: (trigger) => {
        manual$.next(trigger);
      },
      retuneAfter,
      metrics: () => metrics.page(),
      guestDetails: () => guestDetails.details(),
      history: (sinceMillis) => options.history.since(sinceMillis, MOST_ANSWER_BYTES),
      unmergeObstacle: obstacle,
      policyObstacle: (name) => policyObstacle(name, settings),
    }),
  );

  const objects = { [OBJECT_PATH]: manager, [LOG_CONTROL_PATH]: new LogControl(logging) };
  const bus$ = joinBus(options.busAddress, objects, !dryRun).pipe(shareReplay({ bufferSize: 1, refCount: true }));
  const guestUsers = new GuestUsers(root, () => intents.current.values.KSM_GUEST_USERS);
  const processes = new GuestProcesses(root, guestUsers, ksmStatReader(process.env));
  const guests: Guests = new Guests(libvirtOn(bus$, root, options.libvirtObject), processes);
  const usesLibvirt = options.libvirtObject !== undefined;
  const guestDetails = new GuestDetailsReader({ pageSizeBytes: pageSize, inspect: () => guests.inspect(), log });
  const metrics = new Metrics({ root, first, intents, guestDetails, usesLibvirt, log });
  const collector = new Collector(root, ksm, guests, options.freedFile);
  const tuner = new Tuner({
    ksm,
    ledger,
    libvirt: () => guests.libvirt(),
    unmergeObstacle: obstacle,
    givesUp: async () => {
      const [rival] = options.standsBy ? await findDaemons(root, OFTEN_IDLE_TUNERS) : [];
      if (rival !== undefined) rival$.next(rival);
      return rival !== undefined;
    },
    others: async () => (await findDaemons(root, TUNERS)).filter(({ pid }) => pid !== process.pid),
  });

  const signal = (name: NodeJS.Signals) => options.signal$.pipe(filter((given) => given === name));
  const end$ = firstEnd({ ...options, rival$ });
  const force = endByForce(end$, () => tuner.endsLate);

  const retune$ = retunes({
    plan$: bus$.pipe(
      take(1),
      concatMap(() => options.onJoined()),
      switchMap(() => intents.intent$),
      map((intent) => planOf(intent, maxKernelPages)),
    ),
    guest$: guests.event$,
    manual$: merge(manual$, signal('SIGUSR1').pipe(map((by): Trigger => ({ kind: 'manual', by })))),
    sample: ({ accounting }) => from(collector.sample(accounting)),
    apply: (decision, sample, plan) => from(tuner.apply(decision, sample, plan)),
    stop$: end$,
  }).pipe(share());

  /** Sends `trigger` and gives the retune that it is in. */
  function retuneAfter(trigger: Trigger, send: (trigger: Trigger) => void): Promise<Retune> {
    const failure = new Error('samepaged is stopping');
    const done = firstValueFrom(retune$.pipe(filter(({ triggers }) => triggers.includes(trigger))), {
      defaultValue: { triggers: [trigger], policy, nextInMillis: 0, failure },
    });
    send(trigger);
    return done;
  }

  const report = new RetuneReport(log);
  const state$ = agentStates({ first, retune$, intents, libvirt$: guests.libvirt$ });
  const firstRetune$ = combineLatest({
    state: state$.pipe(filter(({ lastRetune }) => lastRetune !== undefined)),
    bus: bus$,
    libvirt: guests.libvirt$,
  }).pipe(take(1), tap(options.onFirst ?? (() => undefined)), share());
  const journalFrom$ = options.onFirst === undefined ? of(undefined) : firstRetune$;
  const changed$ = options.watchesConfig
    ? configChanges(configFile, (why) => {
        log.warn(`changes of the configuration are not seen (${why}): samepagectl reload`);
      })
    : EMPTY;
  const reload$ = merge(signal('SIGHUP'), changed$).pipe(
    concatMap(async () => {
      const { config } = await intents.read();
      if (config !== undefined) intents.take(config, { kind: 'reload' });
    }),
  );
  const ended$ = retune$.pipe(ignoreElements(), endWith(undefined));
  /** Whether the process goes on after the end. */
  let lives = false;

  try {
    await lastValueFrom(
      merge(
        merge(
          publishStates(state$, manager),
          firstRetune$,
          busJournal(bus$, journalFrom$, options.busAddress, log),
          libvirtJournal(guests.libvirt$, journalFrom$, log),
          forbiddenWarnings(
            {
              ...{ event$: guests.event$, retune$ },
              forbidden: () => intents.current.values.KSM_FORBID_GUESTS,
              processOf: (event) => guests.processOf(event),
              inspect: () => guests.inspect(),
            },
            log,
          ),
          reload$,
          metrics.count({ retune$, state$, bus$, event$: guests.event$, libvirt$: guests.libvirt$ }),
          metrics.serve(),
        ).pipe(takeUntil(ended$)),
        recordHistory(retune$, options.history),
        tellSystemd(options.systemd, {
          retune$,
          dryRun,
          end$: merge(end$, ended$),
          unmerges: () => intents.current.values.KSM_ON_EXIT === 'unmerge',
        }),
        retune$.pipe(
          tap((retune) => {
            report.add(retune);
            if ('sample' in retune) intents.expire(retune.sample);
          }),
        ),
      ).pipe(ignoreElements(), takeUntil(end$.pipe(delay(LAST_RETUNE_MILLIS)))),
      { defaultValue: undefined },
    );
    const end: End = await firstValueFrom(end$, {
      defaultValue: { status: EXIT.software, reason: 'the loop ended by itself' },
    });
    const { status, reason, rival } = end;
    lives = rival !== undefined;
    if (rival !== undefined) log.warn(`${reason}: samepaged gives KSM back and stands by`);
    else if (status === EXIT.ok) log.info(`${reason}: stopping`);
    else log.fatal(`${reason}: stopping with status ${status}`);
    return end;
  } finally {
    if (!dryRun) await giveBack(tuner, { onExit: intents.current.values.KSM_ON_EXIT, log });
    if (lives) force.unsubscribe();
  }
}

function libvirtOn(bus$: Observable<BusState>, root: Root, object: string | undefined): Observable<LibvirtState> {
  if (object === undefined) return of({ up: false, reason: 'libvirt is not used (--libvirt none)' });
  return bus$.pipe(
    switchMap((state): Observable<LibvirtState> =>
      state.bus === undefined
        ? of({ up: false, reason: 'libvirt cannot be asked without D-Bus' })
        : watchLibvirt(state.bus, new Libvirt(state.bus, object), () => libvirtIsHere(root)),
    ),
  );
}
