import type { Problem } from '../core/sample.js';
import { hypervisorOf } from './hypervisors.js';
import { type Description, type Hypervisor } from './hypervisor.js';
import { Overdue } from './inTime.js';
import { commandLine, executable, listPids, programLife } from './processes.js';
import type { Root } from './sysfs.js';

/** A process that runs a guest. */
export interface FoundGuest {
  readonly pid: number;
  readonly startTime: string;
  readonly argv: readonly string[];
  readonly hypervisor: Hypervisor;
  readonly description: Description;
}

/** A process that was there before. */
interface KnownProcess {
  /** In how many scans it was seen. */
  sights: number;
  /** What it was when it was examined; undefined before. */
  readonly life: { readonly comm: string; readonly startTime: string } | undefined;
  readonly guest: FoundGuest | undefined;
}

/** A name under which a wrapper script and the emulator that it becomes can both run. */
const HYPERVISOR_COMM = /qemu|kvm|hypervisor|firecracker|crosvm/;
/** So often seen, a process is not about to become another program; nor is one that was there before us. */
const SETTLED_SIGHTS = 4;
/** A process can become another program, as the script of a container does. It is examined again in every so manieth scan. */
const SCANS_BETWEEN_EXAMINATIONS = 256;

/**
 * Finds the processes that run guests, and remembers what every process is by its pid and start time, so that a scan without
 * news reads one directory: 0.3 ms with 400 processes.
 */
export class GuestScan {
  private readonly root: Root;
  private readonly known = new Map<number, KnownProcess>();
  /** Those among `known`. */
  private guests: readonly FoundGuest[] = [];
  private last: Promise<unknown> = Promise.resolve();

  constructor(root: Root) {
    this.root = root;
  }

  /**
   * The guests that are there now, new processes examined at once.
   *
   * @param problems of what could not be examined, and is left out until the next time.
   */
  async now(problems: Problem[] = []): Promise<readonly FoundGuest[]> {
    return this.scan(problems, ({ life, guest, sights }) => life === undefined || guest !== undefined || isDue(sights));
  }

  /**
   * As now(), for who asks often: a process is examined when it is seen the second time, so that those that are gone at once
   * cost nothing, and one that is about to become another program has become it.
   */
  async often(): Promise<readonly FoundGuest[]> {
    return this.scan([], ({ sights }) => isDue(sights));
  }

  /** One scan after another: half a scan is not what is there. */
  private async scan(
    problems: Problem[],
    isToExamine: (process: KnownProcess) => boolean,
  ): Promise<readonly FoundGuest[]> {
    const scan = this.last.then(() => this.scanNow(problems, isToExamine));
    this.last = scan.catch(() => undefined);
    return scan;
  }

  private async scanNow(
    problems: Problem[],
    isToExamine: (process: KnownProcess) => boolean,
  ): Promise<readonly FoundGuest[]> {
    const pids = listPids(this.root);
    const isFirst = this.known.size === 0;
    const firstSights = isFirst ? SETTLED_SIGHTS : 0;
    const due: (readonly [pid: number, process: KnownProcess])[] = [];
    for (const pid of pids) {
      let process = this.known.get(pid);
      if (process === undefined) {
        process = { sights: firstSights, life: undefined, guest: undefined };
        this.known.set(pid, process);
      }
      process.sights += 1;
      if (isFirst || isToExamine(process)) due.push([pid, process]);
    }
    // Without news one pass over the processes is all: an interpreter takes its time for each.
    const isOver = this.known.size > pids.length;
    if (isOver) this.forgetOthers(pids);
    for (const [pid, process] of due) await this.examine(pid, process, problems);
    if (isOver || due.length > 0) this.guests = [...this.known.values()].flatMap(({ guest }) => guest ?? []);
    return this.guests;
  }

  private forgetOthers(pids: readonly number[]): void {
    const listed = new Set(pids);
    for (const pid of this.known.keys()) if (!listed.has(pid)) this.known.delete(pid);
  }

  private async examine(pid: number, before: KnownProcess, problems: Problem[]): Promise<void> {
    const life = programLife(this.root, pid);
    if (life === undefined) {
      this.known.delete(pid);
      return;
    }
    const isSame = before.life?.startTime === life.startTime && before.life.comm === life.comm;
    const isSettled =
      before.guest !== undefined || (before.sights >= SETTLED_SIGHTS && !HYPERVISOR_COMM.test(life.comm));
    if (isSame && isSettled) {
      this.known.set(pid, before);
      return;
    }
    const argv = await this.commandLineOf(pid, problems);
    if (argv === undefined) this.known.delete(pid);
    else this.known.set(pid, { sights: before.sights, life, guest: this.guestOf(pid, life.startTime, argv) });
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

/** In the second and third scan, then ever more rarely: most processes never become another program. */
function isDue(sights: number): boolean {
  if (sights > SCANS_BETWEEN_EXAMINATIONS) return sights % SCANS_BETWEEN_EXAMINATIONS === 0;
  return sights === 3 || (sights > 1 && (sights & (sights - 1)) === 0);
}
