import {
  EMPTY,
  type Observable,
  type SchedulerLike,
  asyncScheduler,
  concat,
  concatMap,
  defer,
  distinctUntilChanged,
  filter,
  interval,
  map,
  merge,
  of,
  skip,
  skipWhile,
  startWith,
  switchMap,
  takeUntil,
  takeWhile,
  throttleTime,
  timer,
  withLatestFrom,
} from 'rxjs';
import type { Retune } from '../core/retune.js';
import { execFile, type ExecFileException } from 'child_process';
import type { Log } from '../log.js';

/** Each notice costs a process: a policy that probes changes its reason all the time. */
const STATUS_MILLIS = 30_000;

/** Asks for five minutes more; each such notice starts the time again (sd_notify(3)). */
const LONG_STOP = 'EXTEND_TIMEOUT_USEC=300000000';

export interface NoticeInputs {
  /** The loop's retunes. */
  readonly retune$: Observable<Retune>;
  readonly dryRun: boolean;
  /** Who says nothing for so long is killed; undefined without a watchdog. */
  readonly watchdogMillis: number | undefined;
  readonly end$: Observable<unknown>;
  /** Whether everything is unmerged at the end, which takes longer than a stop may otherwise. */
  readonly unmerges: () => boolean;
  /** The clock; the real one unless given. */
  readonly scheduler?: SchedulerLike;
}

/**
 * What a service manager gets, as assignments of sd_notify(3) that go together: READY=1 with the first decision that
 * was applied, the status when the reason for it changes, WATCHDOG=1 while the loop lives, STOPPING=1, with more time where everything is unmerged.
 *
 * The loop lives as long as no retune is later than `watchdogMillis` after the time that the retune before it announced. So a
 * retune that waits for ever is noticed as well as a blocked process is, and a libvirt that is silent for its time-outs is
 * neither.
 */
export function serviceNotices({
  retune$,
  dryRun,
  watchdogMillis,
  end$,
  unmerges,
  scheduler = asyncScheduler,
}: NoticeInputs): Observable<readonly string[]> {
  const status = (retune: Retune) => `STATUS=${dryRun ? 'dry run: ' : ''}${summaryOf(retune)}`;
  const start$ = retune$.pipe(
    takeWhile(hasFailed, true),
    map((retune) => (hasFailed(retune) ? [status(retune)] : ['READY=1', status(retune)])),
    distinctUntilChanged((a, b) => a.join() === b.join()),
  );
  const change$ = retune$.pipe(
    skipWhile(hasFailed),
    distinctUntilChanged((a, b) => reasonOf(a) === reasonOf(b)),
    skip(1),
    throttleTime(STATUS_MILLIS, scheduler, { leading: true, trailing: true }),
    map((retune) => [status(retune)]),
  );
  const alive$ = (patienceMillis: number) =>
    retune$.pipe(
      map(({ nextInMillis }) => nextInMillis),
      startWith(0),
      switchMap((millis) =>
        timer(millis + patienceMillis, scheduler).pipe(
          map(() => false),
          startWith(true),
        ),
      ),
    );
  const watchdog$ = (millis: number) =>
    interval(millis / 2, scheduler).pipe(
      withLatestFrom(alive$(millis), retune$),
      filter(([, alive]) => alive),
      map(([, , retune]) => ['WATCHDOG=1', status(retune)]),
    );
  const running$ = merge(start$, change$, watchdogMillis === undefined ? EMPTY : watchdog$(watchdogMillis));
  const stopping$ = defer(() => of(['STOPPING=1', ...(unmerges() ? [LONG_STOP] : [])]));
  return concat(running$.pipe(takeUntil(end$)), stopping$);
}

/** Sends the notices, one after another; none where nobody waits for them. */
export function tellSystemd(
  systemd: Systemd | undefined,
  inputs: Omit<NoticeInputs, 'watchdogMillis' | 'scheduler'>,
): Observable<unknown> {
  if (systemd === undefined) return EMPTY;
  const { watchdogMillis } = systemd;
  return serviceNotices({ ...inputs, watchdogMillis }).pipe(concatMap((notice) => systemd.notify(notice)));
}

type FailedRetune = Extract<Retune, { failure: unknown }>;

function hasFailed(retune: Retune): retune is FailedRetune {
  return 'failure' in retune;
}

function reasonOf(retune: Retune): string {
  return hasFailed(retune) ? retune.failure.message : retune.decision.reason;
}

/** In one line, which is all that a status can have. */
function summaryOf(retune: Retune): string {
  const text = hasFailed(retune) ? `no decision: ${retune.failure.message}` : retune.decision.sentence;
  return text.replaceAll(/\s+/g, ' ');
}

const COMMAND = 'systemd-notify';

/** systemd-notify itself waits 5 s for a service manager that does not read. */
const LONGEST_MILLIS = 10000;

/** `systemctl kill` signals every process of the service, this one's children too. */
const TRIES = 3;

/**
 * The service manager that waits for news of this process, as sd_notify(3) describes it. Node cannot send on a unix
 * datagram socket, so systemd-notify(1) does: the unit needs NotifyAccess=all.
 */
export class Systemd {
  /** A service that says nothing for so long is killed; undefined without a watchdog. */
  readonly watchdogMillis: number | undefined;
  private readonly log: Pick<Log, 'warn'>;
  private failed = false;

  private constructor(log: Pick<Log, 'warn'>, watchdogMillis: number | undefined) {
    this.log = log;
    this.watchdogMillis = watchdogMillis;
  }

  /** Undefined where nobody waits for news. */
  static fromEnvironment(log: Pick<Log, 'warn'>): Systemd | undefined {
    const { NOTIFY_SOCKET, WATCHDOG_PID, WATCHDOG_USEC } = process.env;
    if (NOTIFY_SOCKET === undefined) return undefined;
    const watched = WATCHDOG_PID === undefined || WATCHDOG_PID === String(process.pid);
    const micros = /^\d{1,15}$/.test(WATCHDOG_USEC ?? '') ? Number(WATCHDOG_USEC) : 0;
    return new Systemd(log, watched && micros > 0 ? micros / 1000 : undefined);
  }

  /** Sends assignments like READY=1. Never rejects: that it failed is logged once. */
  async notify(assignments: readonly string[]): Promise<void> {
    let failure: Failure | undefined;
    for (let tries = 0; tries < TRIES; tries += 1) {
      failure = await run(assignments);
      if (failure?.signal === undefined) break;
    }
    if (failure === undefined || this.failed) return;
    this.failed = true;
    this.log.warn(`${COMMAND} ${failure.reason}: systemd does not learn whether samepaged is ready and alive`);
  }
}

interface Failure {
  readonly reason: string;
  /** The signal of somebody else's that it died of. */
  readonly signal: NodeJS.Signals | undefined;
}

function run(assignments: readonly string[]): Promise<Failure | undefined> {
  return new Promise((resolve) => {
    execFile(COMMAND, assignments, { timeout: LONGEST_MILLIS }, (error, _stdout, stderr) => {
      resolve(error === null ? undefined : failureOf(error, stderr.trim()));
    });
  });
}

function failureOf({ code, killed, signal }: ExecFileException, stderr: string): Failure {
  if (killed === true) return { reason: `did not end within ${LONGEST_MILLIS / 1000} s`, signal: undefined };
  const byOthers = code === null ? signal : undefined;
  const how = byOthers === undefined ? `failed (${code ?? ''})` : `was ended by ${byOthers}`;
  return { reason: stderr === '' ? how : `${how}: ${stderr}`, signal: byOthers };
}
