import type { Problem } from '../core/sample.js';
import { hypervisorOf } from './hypervisors.js';
import { type Description, type Hypervisor } from './hypervisor.js';
import { Overdue } from './inTime.js';
import { type News, ProcessNews } from './processNews.js';
import { commandLine, executable, isThere, listPids, processOfThread, programLife } from './processes.js';
import type { Root } from './sysfs.js';

/** A process that runs a guest. */
export interface FoundGuest {
  readonly pid: number;
  readonly startTime: string;
  readonly argv: readonly string[];
  readonly hypervisor: Hypervisor;
  readonly description: Description;
}

/** A process that was examined. */
interface KnownProcess {
  /** When it was seen first. */
  readonly sinceMillis: number;
  /** When it is examined next: it can become another program, as the script of a container does. */
  readonly dueMillis: number;
  /** What it was when it was examined. */
  readonly life: { readonly comm: string; readonly startTime: string };
  readonly guest: FoundGuest | undefined;
}

/** A name under which a wrapper script and the emulator that it becomes can both run. */
const HYPERVISOR_COMM = /qemu|kvm|hypervisor|firecracker|crosvm/;
/** So long there, a process is not about to become another program; nor is one that was there before us. */
const SETTLED_MILLIS = 3000;
/** A process is examined again when it is twice as old as it was, and at the latest after this. */
const LONGEST_UNEXAMINED_MILLIS = 240_000;
/** All processes are listed as often, for what news does not tell: a number that was chosen (clone3(2), set_tid). */
const LISTING_MILLIS = 60_000;

/**
 * Finds the processes that run guests, and remembers what every process is by its pid and start time. A scan without news reads
 * one line, one with news asks for those that are new.
 */
export class GuestScan {
  private readonly root: Root;
  private readonly listingMillis: number;
  private readonly news: ProcessNews;
  private readonly known = new Map<number, KnownProcess>();
  /** Numbers of processes and threads that were seen once, and when. */
  private sighted = new Map<number, number>();
  /** Processes that are not settled. */
  private readonly young = new Set<number>();
  /** Those among `known`. */
  private guests: readonly FoundGuest[] = [];
  private listingDueMillis = 0;
  private last: Promise<unknown> = Promise.resolve();

  constructor(root: Root, listingMillis = LISTING_MILLIS) {
    this.root = root;
    this.listingMillis = listingMillis;
    this.news = new ProcessNews(root);
  }

  /**
   * The guests that are there now, new processes examined at once.
   *
   * @param problems of what could not be examined, and is left out until the next time.
   */
  async now(problems: Problem[] = []): Promise<readonly FoundGuest[]> {
    return this.inTurn(() => {
      this.news.take();
      return this.scanAll(true, problems);
    });
  }

  /**
   * As now(), for who asks often: a process is examined when it is seen the second time, so that those that are gone at once
   * cost nothing, and one that is about to become another program has become it.
   */
  async often(): Promise<readonly FoundGuest[]> {
    return this.inTurn(() => {
      const news = this.news.take();
      return news === undefined || performance.now() >= this.listingDueMillis
        ? this.scanAll(false, [])
        : this.scanNews(news);
    });
  }

  /** Whether the last scan left processes to the next that it saw for the first time. */
  get sawNew(): boolean {
    return this.sighted.size > 0;
  }

  /** One scan after another: half a scan is not what is there. */
  private async inTurn(scan: () => Promise<readonly FoundGuest[]>): Promise<readonly FoundGuest[]> {
    const result = this.last.then(scan);
    this.last = result.catch(() => undefined);
    return result;
  }

  private async scanAll(isAtOnce: boolean, problems: Problem[]): Promise<readonly FoundGuest[]> {
    const now = performance.now();
    const pids = listPids(this.root);
    const isFirst = this.listingDueMillis === 0;
    this.listingDueMillis = now + this.listingMillis;
    const due = this.takeSighted();
    let unknown = 0;
    // Without news one pass over the processes is all: an interpreter takes its time for each.
    for (const pid of pids) {
      const process = this.known.get(pid);
      if (process === undefined) {
        unknown += 1;
        if (isFirst) due.set(pid, now - (this.news.isTold ? LONGEST_UNEXAMINED_MILLIS : SETTLED_MILLIS));
        else if (due.has(pid)) continue;
        else if (isAtOnce) due.set(pid, now);
        else this.sighted.set(pid, now);
      } else if (process.dueMillis <= now || (isAtOnce && process.guest !== undefined)) {
        due.set(pid, process.sinceMillis);
      }
    }
    const isOver = this.known.size > pids.length - unknown;
    if (isOver) {
      const listed = new Set(pids);
      for (const pid of this.known.keys()) if (!listed.has(pid)) this.forget(pid);
    }
    return this.examineAll(due, isOver, problems);
  }

  private async scanNews({ begun, isAny }: News): Promise<readonly FoundGuest[]> {
    const now = performance.now();
    const due = this.takeSighted();
    // One that is known can be the number of another process by now.
    for (const number of begun) if (isThere(this.root, number)) this.sighted.set(number, now);
    for (const pid of this.young) {
      const process = this.known.get(pid);
      if (process !== undefined && process.dueMillis <= now) due.set(pid, process.sinceMillis);
    }
    const ended = isAny ? this.guests.filter(({ pid }) => !isThere(this.root, pid)) : [];
    for (const { pid } of ended) this.forget(pid);
    return this.examineAll(due, ended.length > 0, []);
  }

  /**
   * The processes of the numbers that were seen once, with when that was. A new thread can be the first of a program that an
   * old process has become.
   */
  private takeSighted(): Map<number, number> {
    const due = new Map<number, number>();
    for (const [number, sinceMillis] of this.sighted) {
      const pid = processOfThread(this.root, number);
      const process = pid === undefined ? undefined : this.known.get(pid);
      if (pid !== undefined && process?.guest === undefined) due.set(pid, process?.sinceMillis ?? sinceMillis);
    }
    this.sighted = new Map();
    return due;
  }

  private async examineAll(
    due: ReadonlyMap<number, number>,
    isOver: boolean,
    problems: Problem[],
  ): Promise<readonly FoundGuest[]> {
    for (const [pid, sinceMillis] of due) await this.examine(pid, sinceMillis, problems);
    if (isOver || due.size > 0) this.guests = [...this.known.values()].flatMap(({ guest }) => guest ?? []);
    return this.guests;
  }

  private forget(pid: number): void {
    this.known.delete(pid);
    this.young.delete(pid);
  }

  private async examine(pid: number, sinceMillis: number, problems: Problem[]): Promise<void> {
    const life = programLife(this.root, pid);
    if (life === undefined) {
      this.forget(pid);
      return;
    }
    const before = this.known.get(pid);
    const now = performance.now();
    const age = now - sinceMillis;
    const dueMillis = now + Math.min(age, LONGEST_UNEXAMINED_MILLIS);
    if (age < SETTLED_MILLIS) this.young.add(pid);
    else this.young.delete(pid);
    const isSame = before?.life.startTime === life.startTime && before.life.comm === life.comm;
    const isSettled = before?.guest !== undefined || (age >= SETTLED_MILLIS && !HYPERVISOR_COMM.test(life.comm));
    if (isSame && isSettled) {
      this.known.set(pid, { ...before, dueMillis });
      return;
    }
    const argv = await this.commandLineOf(pid, problems);
    if (argv === undefined) {
      this.forget(pid);
      this.sighted.set(pid, sinceMillis);
      return;
    }
    this.known.set(pid, { sinceMillis, dueMillis, life, guest: this.guestOf(pid, life.startTime, argv) });
  }

  private guestOf(pid: number, startTime: string, argv: readonly string[]): FoundGuest | undefined {
    // A kernel thread.
    if (argv.length === 0) return undefined;
    const hypervisor = hypervisorOf(argv, executable(this.root, pid));
    const description = hypervisor?.describe(argv, pid);
    return hypervisor === undefined || description === undefined
      ? undefined
      : { pid, startTime, argv, hypervisor, description };
  }

  /** Undefined where it does not come in time: the next scan tries again. */
  private async commandLineOf(pid: number, problems: Problem[]): Promise<readonly string[] | undefined> {
    try {
      return (await commandLine(this.root, pid)) ?? [];
    } catch (error) {
      if (!(error instanceof Overdue)) throw error;
      problems.push({
        subject: `command line of ${pid}`,
        sentence: `${error.message}: if it is a guest, it is left out`,
      });
      return undefined;
    }
  }
}
