import {
  EMPTY,
  type Observable,
  catchError,
  concat,
  defer,
  distinctUntilChanged,
  exhaustMap,
  filter,
  firstValueFrom,
  from,
  map,
  merge,
  mergeMap,
  scan,
  share,
  shareReplay,
  switchMap,
  take,
  takeUntil,
  timer,
} from 'rxjs';
import type { Guest, GuestEvent, KernelGuest } from '../core/guest.js';
import { type GuestReport, NOTHING_LISTED, type Running, takeReport } from '../core/guestReport.js';
import { type Entry, takeInventory } from '../core/inventory.js';
import type { Problem } from '../core/sample.js';
import { messageOf } from '../errors.js';
import type { GuestProcess, SeenGuest } from '../host/guestProcess.js';
import type { GuestProcesses, InspectedGuest } from '../host/guestProcesses.js';
import type { Libvirt } from '../libvirt/libvirt.js';
import type { ReportedGuest } from '../libvirt/domain.js';
import type { LibvirtState } from '../libvirt/presence.js';

/**
 * How often /proc is searched for guests while libvirt is not there. Where it is, it names the guests, and /proc is searched
 * at each of its heartbeats only: a search by itself would wake the host up.
 */
const PROC_POLL_MILLIS = 1500;
/** A process is taken for what it is when it is seen the second time: with the poll, a start is noticed within two seconds. */
const SECOND_SIGHT_MILLIS = 300;
/** The first decision does not wait longer than this for libvirt; /proc knows the guests too. */
const FIRST_STATE_MILLIS = 2000;
const LATE: LibvirtState = { up: false, reason: 'libvirt has not answered yet' };

/** The host's guests: those that libvirt names, and processes that it does not name. */
export class Guests {
  /** Guests that began or ended to run, each once. */
  readonly event$: Observable<GuestEvent>;
  readonly libvirt$: Observable<LibvirtState>;
  private readonly processes: GuestProcesses;
  /** Those that count, as they were listed last. */
  private listed: readonly Entry<ReportedGuest, SeenGuest>[] = [];

  /** @param libvirt$ what watchLibvirt gives; it is subscribed to once, for as long as somebody listens to either stream. */
  constructor(libvirt$: Observable<LibvirtState>, processes: GuestProcesses) {
    this.processes = processes;
    const answers$ = libvirt$.pipe(share());
    const late$ = timer(FIRST_STATE_MILLIS).pipe(map(() => LATE));
    this.libvirt$ = merge(answers$, late$.pipe(takeUntil(answers$))).pipe(
      shareReplay({ bufferSize: 1, refCount: true }),
    );
    this.event$ = this.reports().pipe(
      scan<GuestReport, readonly [Running, readonly GuestEvent[]]>(
        ([running], report) => takeReport(running, report),
        [NOTHING_LISTED, []],
      ),
      mergeMap(([, events]) => events),
      share(),
    );
  }

  /** libvirt where it is up now. Before its first answer this waits, but not long. */
  async libvirt(): Promise<Libvirt | undefined> {
    const state = await firstValueFrom(this.libvirt$, { defaultValue: LATE });
    return state.up ? state.libvirt : undefined;
  }

  /** The running guests that count, with their memory; when libvirt fails to say, /proc answers for all. */
  async list(): Promise<{ guests: readonly Guest[]; problems: readonly Problem[] }> {
    const problems: Problem[] = [];
    const [told, seen] = [await this.told(problems), await this.processes.look(problems)];
    this.listed = takeInventory(told, seen).filter(({ stranger }) => stranger === undefined);
    return { guests: this.listed.map(guestOf), problems };
  }

  /**
   * What libvirt does not report of the guests that were listed last, by identity, from /proc; nothing where that cannot be
   * read.
   */
  async kernelGuests(): Promise<{ guests: ReadonlyMap<string, KernelGuest>; problems: readonly Problem[] }> {
    try {
      return await this.processes.kernelGuests(this.listed);
    } catch (error) {
      const sentence = `the kernel's figures of the guests cannot be read (${messageOf(error)}): they are left out`;
      return { guests: new Map(), problems: [{ subject: 'guests in /proc', sentence }] };
    }
  }

  /** Every guest that runs now, those that do not count among them, with its process in every detail. */
  async inspect(): Promise<readonly InspectedGuest[]> {
    const [told, seen] = [await this.told([]), await this.processes.look()];
    return this.processes.inspect(takeInventory(told, seen));
  }

  /** PSS of the guests that were listed last, by identity, as far as it can be read. */
  proportional(problems: Problem[]): Promise<ReadonlyMap<string, number>> {
    return this.processes.proportional(this.listed, problems);
  }

  /** The process of the guest of an event; undefined where it is not seen. */
  async processOf({ id, name }: GuestEvent): Promise<GuestProcess | undefined> {
    return id === undefined ? undefined : this.processes.processOf({ id, name });
  }

  private async told(problems: Problem[]): Promise<readonly ReportedGuest[]> {
    const libvirt = await this.libvirt();
    try {
      return (await libvirt?.listGuests()) ?? [];
    } catch (error) {
      const sentence = `libvirt does not report the guests' memory (${messageOf(error)}): taken from /proc`;
      problems.push({ subject: 'libvirt domain stats', sentence });
      return [];
    }
  }

  private reports(): Observable<GuestReport> {
    const lists$ = this.libvirt$.pipe(
      map((state) => (state.up ? state.guests : [])),
      filter((guests) => guests !== undefined),
      map((guests): GuestReport => ({ kind: 'list', source: 'libvirt', guests })),
    );
    const events$ = this.libvirt$.pipe(
      map((state) => (state.up ? state.libvirt : undefined)),
      distinctUntilChanged(),
      switchMap((libvirt) => libvirt?.event$ ?? EMPTY),
    );
    return merge(
      events$,
      lists$,
      this.libvirt$.pipe(
        take(1),
        switchMap(() => this.procLists()),
      ),
    );
  }

  private procLists(): Observable<GuestReport> {
    // What cannot be read is a failure of the next retune, which tells it.
    const list$ = defer(() => from(this.processes.list()).pipe(catchError(() => EMPTY)));
    const again$ = timer(SECOND_SIGHT_MILLIS).pipe(switchMap(() => list$));
    return this.libvirt$.pipe(
      map(({ up }) => up),
      distinctUntilChanged(),
      switchMap((up) => (up ? this.libvirt$ : timer(0, PROC_POLL_MILLIS))),
      exhaustMap(() =>
        concat(
          list$,
          defer(() => (this.processes.sawNew ? again$ : EMPTY)),
        ),
      ),
      map((guests): GuestReport => ({ kind: 'list', source: 'proc', guests })),
    );
  }
}

/** What libvirt reports of a guest; what it leaves out, and all of a guest that it does not name, from its process. */
function guestOf({ id, name, plainName, reported, process }: Entry<ReportedGuest, SeenGuest>): Guest {
  const named = { id, name, ...(plainName === undefined ? {} : { plainName }) };
  const residentBytes = reported?.residentBytes ?? process?.memory('VmRSS') ?? 0;
  const configuredBytes = reported?.configuredBytes ?? process?.configuredBytes ?? 0;
  const balloon = reported?.balloonBytes === undefined ? {} : { balloonBytes: reported.balloonBytes };
  const hugetlb =
    reported === undefined && process !== undefined ? { hugetlbBytes: process.memory('HugetlbPages') } : {};
  return { ...named, residentBytes, configuredBytes, ...balloon, ...hugetlb };
}
