import { type ExecFileException, execFile } from 'node:child_process';
import type { Log } from '../log.js';

const COMMAND = 'systemd-notify';
/** systemd-notify itself waits 5 s for a service manager that does not read. */
const LONGEST_MILLIS = 10_000;
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

  /** Sends assignments like READY=1. Never rejects: that it failed is told once. */
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
