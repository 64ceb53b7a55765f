import {
  EMPTY,
  type Observable,
  catchError,
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
  takeUntil,
  timer,
} from 'rxjs';
import {
  type Guest,
  type GuestEvent,
  type GuestReport,
  type Inventory,
  type KernelGuest,
  takeReport,
} from '../core/guest.js';
import type { Problem } from '../core/problem.js';
import { messageOf } from '../errors.js';
import type { QemuProcesses } from '../host/qemu.js';
import type { Libvirt } from '../libvirt/libvirt.js';
import type { ToldGuest } from '../libvirt/domain.js';
import type { LibvirtState } from '../libvirt/presence.js';

/** How often /proc is searched for guests while libvirt is away. */
const PROC_POLL_MILLIS = 5000;
/** The first decision does not wait longer than this for libvirt; /proc knows the guests too. */
const FIRST_STATE_MILLIS = 2000;
const LATE: LibvirtState = { up: false, reason: 'libvirt has not answered yet' };

/** The host's guests, from libvirt while it is up and from /proc while it is not. */
export class Guests {
  /** Guests that began or ended to run, each once. */
  readonly event$: Observable<GuestEvent>;
  readonly libvirt$: Observable<LibvirtState>;
  private readonly qemu: QemuProcesses;

  /** @param libvirt$ what watchLibvirt gives; it is subscribed to once, for as long as somebody listens to either stream. */
  constructor(libvirt$: Observable<LibvirtState>, qemu: QemuProcesses) {
    this.qemu = qemu;
    const answers$ = libvirt$.pipe(share());
    const late$ = timer(FIRST_STATE_MILLIS).pipe(map(() => LATE));
    this.libvirt$ = merge(answers$, late$.pipe(takeUntil(answers$))).pipe(
      shareReplay({ bufferSize: 1, refCount: true }),
    );
    this.event$ = this.reports().pipe(
      scan<GuestReport, readonly [Inventory, readonly GuestEvent[]]>(
        ([inventory], report) => takeReport(inventory, report),
        [undefined, []],
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

  /** The running guests with their memory; when libvirt fails to say, /proc answers instead. */
  async list(): Promise<{ guests: readonly Guest[]; problems: readonly Problem[] }> {
    const problems: Problem[] = [];
    const libvirt = await this.libvirt();
    if (libvirt === undefined) return { guests: await this.qemu.list(problems), problems };
    try {
      return { guests: await this.completed(await libvirt.listGuests(), problems), problems };
    } catch (error) {
      const sentence = `libvirt does not tell the guests' memory (${messageOf(error)}): taken from /proc`;
      problems.push({ subject: 'libvirt domain stats', sentence });
      return { guests: await this.qemu.list(problems), problems };
    }
  }

  /** What libvirt does not tell of the guests, by name, from /proc; nothing where that cannot be read. */
  async kernelGuests(): Promise<{ guests: ReadonlyMap<string, KernelGuest>; problems: readonly Problem[] }> {
    try {
      return await this.qemu.kernelGuests();
    } catch (error) {
      const sentence = `what the kernel tells of the guests cannot be read (${messageOf(error)}): it is left out`;
      return { guests: new Map(), problems: [{ subject: 'guests in /proc', sentence }] };
    }
  }

  /** Resident memory that libvirt did not tell, from /proc; 0 where that does not know the guest either. */
  private async completed(told: readonly ToldGuest[], problems: Problem[]): Promise<readonly Guest[]> {
    const untold = told.some(({ residentBytes }) => residentBytes === undefined);
    const seen = new Map(
      untold ? (await this.qemu.list(problems)).map((guest) => [guest.name, guest.residentBytes]) : [],
    );
    return told.map((guest) => ({ ...guest, residentBytes: guest.residentBytes ?? seen.get(guest.name) ?? 0 }));
  }

  private reports(): Observable<GuestReport> {
    const lists$ = this.libvirt$.pipe(
      map((state) => (state.up ? state.names : undefined)),
      filter((names) => names !== undefined),
      map((names): GuestReport => ({ kind: 'list', names })),
    );
    const source$ = this.libvirt$.pipe(
      map((state) => (state.up ? state.libvirt : undefined)),
      distinctUntilChanged(),
      switchMap((libvirt) => libvirt?.event$ ?? this.procLists()),
    );
    return merge(source$, lists$);
  }

  private procLists(): Observable<GuestReport> {
    return timer(0, PROC_POLL_MILLIS).pipe(
      // What cannot be read is a failure of the next turn, which tells it.
      exhaustMap(() => from(this.qemu.list()).pipe(catchError(() => EMPTY))),
      map((guests): GuestReport => ({ kind: 'list', names: guests.map(({ name }) => name) })),
    );
  }
}
