import {
  type Observable,
  NEVER,
  Subject,
  combineLatest,
  distinctUntilChanged,
  filter,
  firstValueFrom,
  from,
  ignoreElements,
  endWith,
  lastValueFrom,
  map,
  merge,
  of,
  scan,
  share,
  shareReplay,
  startWith,
  switchMap,
  take,
  takeUntil,
  tap,
} from 'rxjs';
import type { BusAddress } from './bus/connection.js';
import { type BusState, joinBus } from './bus/join.js';
import { Manager } from './bus/manager.js';
import { Collector } from './collector.js';
import { type Config, ConfigError } from './config/load.js';
import type { Trigger } from './core/policy.js';
import { type Retune, retunes } from './core/retune.js';
import { type AgentState, initialState, nextState } from './core/state.js';
import { describeWrite } from './core/ksm.js';
import { EXIT, type ExitStatus } from './errors.js';
import { Guests } from './guests.js';
import type { KsmDirectory } from './host/ksm.js';
import type { Ledger } from './host/ledger.js';
import { readMemoryFigures } from './host/meminfo.js';
import { QemuProcesses } from './host/qemu.js';
import { type Root, pageSizeBytes } from './host/sysfs.js';
import { Libvirt } from './libvirt/connect.js';
import { type LibvirtState, watchLibvirt } from './libvirt/watch.js';
import type { Logging } from './log.js';
import { busNews, libvirtNews } from './news.js';
import { planOf } from './plan.js';
import { RetuneReport } from './report.js';
import { Tuner } from './tuner.js';

export interface AgentOptions {
  readonly version: string;
  readonly root: Root;
  readonly ksm: KsmDirectory;
  /** Undefined for a dry run. */
  readonly ledger: Ledger | undefined;
  readonly config: Config;
  /** Reads the configuration again; throws ConfigError. */
  readonly reload: () => Config;
  readonly busAddress: BusAddress;
  /** The libvirt-dbus object to watch; undefined for none. */
  readonly libvirtObject: string | undefined;
  readonly logging: Logging;
  /** SIGUSR1, SIGHUP, SIGTERM, SIGINT as they come. */
  readonly signal$: Observable<NodeJS.Signals>;
  /** Faults that nobody caught: the agent restores the host and ends. */
  readonly fault$: Observable<unknown>;
  /** Tells a person what was found, at the first turn's outcome; the log then tells only what comes after. */
  readonly onFirst?: (found: FirstLook) => void;
}

export interface FirstLook {
  readonly state: AgentState;
  readonly bus: BusState;
  readonly libvirt: LibvirtState;
}

interface End {
  readonly status: ExitStatus;
  readonly reason: string;
}

/** The composition root: builds the adapters, joins the streams, runs until something ends it, gives the host back. */
export async function runAgent(options: AgentOptions): Promise<ExitStatus> {
  const { root, ksm, ledger, logging } = options;
  const { log } = logging;
  const dryRun = ledger === undefined;
  const manual$ = new Subject<Trigger>();

  const first = initialState({ version: options.version, policy: options.config.values.KSM_POLICY, dryRun });
  const manager = new Manager(first, () => retuneNow('D-Bus'));

  const config$ = options.signal$.pipe(
    filter((signal) => signal === 'SIGHUP'),
    scan((running) => reloaded(options) ?? running, options.config),
    tap(({ values }) => {
      logging.configure({ debug: values.DEBUG, logFile: values.LOGFILE });
    }),
    startWith(options.config),
    shareReplay({ bufferSize: 1, refCount: false }),
  );
  const bus$ = joinBus(options.busAddress, manager, !dryRun).pipe(shareReplay({ bufferSize: 1, refCount: true }));
  const guests = new Guests(libvirtOn(bus$, options.libvirtObject), new QemuProcesses(root));
  const collector = new Collector(root, ksm, guests);
  const tuner = new Tuner({ ksm, ledger, libvirt: () => guests.libvirt() });

  const end$: Observable<End> = merge(
    options.signal$.pipe(
      filter((signal) => signal === 'SIGTERM' || signal === 'SIGINT'),
      map((signal) => ({ status: EXIT.ok, reason: signal })),
    ),
    bus$.pipe(
      switchMap(({ bus }) => bus?.lost$ ?? NEVER),
      map((reason) => ({ status: EXIT.ioError, reason })),
    ),
    options.fault$.pipe(map((fault) => ({ status: EXIT.software, reason: `a fault of samepaged: ${stackOf(fault)}` }))),
  ).pipe(take(1), shareReplay({ bufferSize: 1, refCount: false }));

  const retune$ = retunes({
    plan$: bus$.pipe(
      take(1),
      switchMap(() => config$),
      map(({ values }) => planOf(values)),
    ),
    guest$: guests.event$,
    manual$: merge(
      manual$,
      options.signal$.pipe(
        filter((signal) => signal === 'SIGUSR1'),
        map((): Trigger => ({ kind: 'manual', by: 'SIGUSR1' })),
      ),
    ),
    sample: () =>
      config$.pipe(
        take(1),
        switchMap(({ values }) => collector.sample(values.KSM_MEMORY_ACCOUNTING)),
      ),
    apply: (decision, sample) => from(tuner.apply(decision, sample)),
    stop$: end$,
  }).pipe(share());

  function retuneNow(by: string): Promise<Retune> {
    const trigger: Trigger = { kind: 'manual', by };
    const done = firstValueFrom(retune$.pipe(filter(({ triggers }) => triggers.includes(trigger))), {
      defaultValue: { triggers: [trigger], policy: first.policy, failure: new Error('samepaged is stopping') },
    });
    manual$.next(trigger);
    return done;
  }

  const report = new RetuneReport(log, dryRun);
  const state$ = merge(
    retune$.pipe(map((retune) => ({ retune }))),
    guests.libvirt$.pipe(
      map(({ up }) => ({ libvirtConnected: up })),
      distinctUntilChanged((a, b) => a.libvirtConnected === b.libvirtConnected),
    ),
  ).pipe(
    scan(nextState, first),
    tap((state) => {
      manager.update(state);
    }),
    share(),
  );
  const firstLook$ = combineLatest({
    state: state$.pipe(filter(({ lastRetune }) => lastRetune !== undefined)),
    bus: bus$,
    libvirt: guests.libvirt$,
  }).pipe(take(1), tap(options.onFirst ?? (() => undefined)), share());
  const newsFrom$ = options.onFirst === undefined ? of(undefined) : firstLook$;
  const ended$ = retune$.pipe(ignoreElements(), endWith(undefined));

  let status: ExitStatus;
  try {
    await lastValueFrom(
      merge(
        merge(
          state$,
          firstLook$,
          busNews(bus$, newsFrom$, options.busAddress, log),
          libvirtNews(guests.libvirt$, newsFrom$, log),
        ).pipe(takeUntil(ended$)),
        retune$.pipe(
          tap((retune) => {
            report.add(retune);
          }),
        ),
      ).pipe(ignoreElements()),
      { defaultValue: undefined },
    );
    const end = await firstValueFrom(end$, {
      defaultValue: { status: EXIT.software, reason: 'the loop ended by itself' },
    });
    status = end.status;
    if (status === EXIT.ok) log.info(`${end.reason}: stopping`);
    else log.fatal(`${end.reason}: stopping with status ${status}`);
  } finally {
    await giveBack();
  }
  return status;

  async function giveBack(): Promise<void> {
    const { KSM_ON_EXIT } = (await firstValueFrom(config$, { defaultValue: options.config })).values;
    const { writes, problems } = await tuner.restore(KSM_ON_EXIT, () => readMemoryFigures(root), pageSizeBytes(root));
    if (!dryRun) log.info(`KSM_ON_EXIT=${KSM_ON_EXIT}: ${writes.map(describeWrite).join(', ') || 'nothing to change'}`);
    for (const { sentence } of problems) log.warn(sentence);
  }
}

/** The configuration as it is on disk now; undefined, with a line in the log, when it cannot be used. */
function reloaded({ reload, logging: { log } }: AgentOptions): Config | undefined {
  try {
    const config = reload();
    for (const warning of config.warnings) log.warn(warning);
    log.info('configuration reloaded');
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.message.split('\n')) log.error(line);
    log.error('the configuration is not reloaded: going on with the one that was running');
    return undefined;
  }
}

function libvirtOn(bus$: Observable<BusState>, object: string | undefined): Observable<LibvirtState> {
  if (object === undefined) return of({ up: false, reason: 'libvirt is not used (--libvirt none)' });
  return bus$.pipe(
    switchMap((state): Observable<LibvirtState> =>
      state.bus === undefined
        ? of({ up: false, reason: 'libvirt cannot be asked without D-Bus' })
        : watchLibvirt(state.bus, new Libvirt(state.bus, object)),
    ),
  );
}

function stackOf(fault: unknown): string {
  return fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
}
