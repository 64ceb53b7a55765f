import { describeTrigger } from '../core/trigger.js';
import { describeWrite } from '../core/ksm.js';
import type { Problem } from '../core/sample.js';
import type { Retune } from '../core/retune.js';
import type { Log } from '../log.js';
import { type Observable, distinctUntilChanged, skipUntil, tap } from 'rxjs';
import { BUS_NAME } from '../api/names.js';
import type { BusState } from '../api/publish.js';
import { describeAddress, type BusAddress } from '../dbus/address.js';
import type { LibvirtState } from '../libvirt/presence.js';

/**
 * Logs retunes: one line for a decision that changes something, unless it is routine, and problems once and not at
 * every retune.
 */
export class RetuneReport {
  private readonly log: Log;
  private warned = new Set<string>();

  constructor(log: Log) {
    this.log = log;
  }

  add(retune: Retune): void {
    const [first, ...more] = retune.triggers.map(describeTrigger);
    const why = `${first ?? ''}${more.length > 0 ? ` and ${more.length} more` : ''}`;
    if ('failure' in retune) {
      const { message } = retune.failure;
      if (!this.warned.has(message)) this.log.warn(`no decision (${why}): ${message}`);
      // It says nothing of the other problems.
      this.warned.add(message);
      return;
    }
    const { sample, decision, applied } = retune;
    const { totalBytes, freeBytes, committedBytes } = sample.memory;
    const fields = { reason: decision.reason, triggers: retune.triggers.length, guests: sample.guests.length };
    const [total, free, committed] = [totalBytes, freeBytes, committedBytes].map((bytes) => Math.trunc(bytes / 1024));
    this.log.debug(`total ${total} committed ${committed} free ${free}`);
    const { run, pagesToScan, sleepMillisecs } = decision.settings;
    const start = `start ${pagesToScan} ${sleepMillisecs}`;
    this.log.debug(`KSMCTL ${run === 1 ? start : 'stop'}`);
    const level = applied.writes.length === 0 || decision.routine === true ? 'debug' : 'info';
    const changes = applied.writes.map(describeWrite).join(', ');
    const shown = changes === '' ? '' : ` [${applied.dryRun === true ? 'would set ' : ''}${changes}]`;
    this.log[level]({ ...fields, ...(changes === '' ? {} : { changes }) }, `${why}: ${decision.sentence}${shown}`);
    this.tell([...sample.problems, ...(decision.problems ?? []), ...applied.problems]);
  }

  /** Warns of what was not a problem at the last retune, once however many met it. */
  private tell(problems: readonly Problem[]): void {
    const bySubject = new Map(problems.toReversed().map(({ subject, sentence }) => [subject, sentence]));
    for (const subject of new Set(problems.map((problem) => problem.subject))) {
      if (!this.warned.has(subject)) this.log.warn(bySubject.get(subject) ?? '');
    }
    this.warned = new Set(bySubject.keys());
  }
}

/** Logs whether we are on the bus, each time that changes after `from$`. */
export function busJournal(
  bus$: Observable<BusState>,
  from$: Observable<unknown>,
  address: BusAddress,
  log: Log,
): Observable<BusState> {
  return bus$.pipe(
    distinctUntilChanged((a, b) => busText(a, address) === busText(b, address)),
    skipUntil(from$),
    tap((state) => {
      if (state.bus === undefined || state.unpublished !== undefined) {
        log.warn(`${busText(state, address)}: tuning goes on, SIGUSR1 retunes by hand`);
      } else log.debug(busText(state, address));
    }),
  );
}

/** Logs whether libvirt is there, each time that changes after `from$`: when it is not, once, with the remedy. */
export function libvirtJournal(
  libvirt$: Observable<LibvirtState>,
  from$: Observable<unknown>,
  log: Log,
): Observable<LibvirtState> {
  return libvirt$.pipe(
    distinctUntilChanged((a, b) => libvirtText(a) === libvirtText(b)),
    skipUntil(from$),
    tap((state) => {
      if (state.up) log.info(libvirtText(state));
      else if (state.remedy === undefined) log.info(`${libvirtText(state)}: guests are found in /proc`);
      else log.warn(`${libvirtText(state)}: guests are found in /proc, KSM is set through sysfs; ${state.remedy}`);
    }),
  );
}

export function busText(state: BusState, address: BusAddress): string {
  return state.bus === undefined
    ? state.reason
    : (state.unpublished ?? `${BUS_NAME} is on ${describeAddress(address)}`);
}

export function libvirtText(state: LibvirtState): string {
  return state.up ? `libvirt is connected (${state.libvirt.object})` : state.reason;
}
