import type { KernelGuest, NamedGuest } from '../core/guest.js';
import { type Entry, type ReportedName, lifeOf, takeInventory } from '../core/inventory.js';
import type { ListedGuest } from '../core/guestReport.js';
import type { Problem } from '../core/sample.js';
import { messageOf } from '../errors.js';
import { type GuestProcess, type SeenGuest, readGuest, seeGuests } from './guestProcess.js';
import { type FoundGuest, GuestScan } from './guestScan.js';
import type { GuestUsers } from './guestUsers.js';
import { type KsmStat, readKsmStat } from './ksmStat.js';
import type { KsmStatReader } from './ksmStatReader.js';
import { readMemoryFigures } from './meminfo.js';
import { readProportionalMemory } from './proportionalMemory.js';
import { type Root, pageSizeBytes } from './sysfs.js';

/** A guest of this host's inventory. */
export interface InspectedGuest extends NamedGuest {
  /** Whose it is, where it counts for no decision. */
  readonly stranger?: string;
  /** Undefined where it is not seen. */
  readonly process: GuestProcess | undefined;
}

/** What list() gave, and what it was made from. */
interface Listed {
  readonly found: readonly FoundGuest[];
  readonly counting: ReadonlyMap<string, boolean>;
  readonly guests: readonly ListedGuest[];
}

/** By core/memory.ts. */
const ESTIMATED = 'samepaged estimates it from resident memory and merged pages';

/** The processes of a running host that run guests, and what the kernel reports of them. */
export class GuestProcesses {
  private readonly root: Root;
  private readonly users: GuestUsers | undefined;
  private readonly reader: KsmStatReader | undefined;
  private readonly pageSizeBytes: number;
  private readonly scan: GuestScan;
  /** Whether they counted when they were looked at last, by their lives. */
  private counting = new Map<string, boolean>();
  private listed: Listed | undefined;

  /** @param users whose guests count; undefined for everybody's. @param reader of what only root may read; undefined where this process may. */
  constructor(root: Root, users?: GuestUsers, reader?: KsmStatReader) {
    this.root = root;
    this.users = users;
    this.reader = reader;
    this.pageSizeBytes = pageSizeBytes(root);
    this.scan = new GuestScan(root);
  }

  /**
   * All of them, with their memory now. No guest is promised more than the host has: a command line may say anything.
   *
   * @param problems of what could not be looked at, and is left out.
   */
  async look(problems: Problem[] = []): Promise<readonly SeenGuest[]> {
    const mostBytes = readMemoryFigures(this.root).memTotalBytes;
    const found = await this.scan.now(problems);
    const seen = seeGuests(this.root, found, this.users);
    this.counting = new Map([
      ...found.map((guest): [string, boolean] => [lifeOf(guest), false]),
      ...seen.map((guest): [string, boolean] => [lifeOf(guest), guest.stranger === undefined]),
    ]);
    return seen.map((guest) => ({ ...guest, configuredBytes: Math.min(guest.configuredBytes, mostBytes) }));
  }

  /** Those that count, for who asks often. Whom a process runs as is read when it is new only. */
  async list(): Promise<readonly ListedGuest[]> {
    const found = await this.scan.often();
    if (this.listed?.found !== found || this.listed.counting !== this.counting) {
      const guests = await this.listOf(found);
      this.listed = { found, counting: this.counting, guests };
    }
    return this.listed.guests;
  }

  /** Whether list() saw processes for the first time, and will know what they are when it sees them again. */
  get sawNew(): boolean {
    return this.scan.sawNew;
  }

  /** The guests of an inventory with their processes in every detail, as far as these can be read. */
  async inspect(entries: readonly Entry<ReportedName, SeenGuest>[]): Promise<readonly InspectedGuest[]> {
    const inspected = entries.map(async ({ id, name, plainName, stranger, process }): Promise<InspectedGuest> => ({
      ...{ id, name },
      ...(plainName === undefined ? {} : { plainName }),
      ...(stranger === undefined ? {} : { stranger }),
      process: process && (await readGuest(this.root, process, this.reader).catch(() => undefined)),
    }));
    return Promise.all(inspected);
  }

  /** A guest's process in every detail; undefined where it is not seen. */
  async processOf(guest: ReportedName): Promise<GuestProcess | undefined> {
    const seen = await this.look();
    const entry =
      takeInventory([], seen).find(({ id, stranger }) => id === guest.id && stranger === undefined) ??
      takeInventory([guest], seen)[0];
    return entry?.process === undefined ? undefined : readGuest(this.root, entry.process, this.reader);
  }

  /**
   * What libvirt does not report of guests, by identity. What KSM made of a guest is left out where it cannot be read, and a
   * problem.
   */
  async kernelGuests(
    entries: readonly Entry<ReportedName, SeenGuest>[],
  ): Promise<{ guests: ReadonlyMap<string, KernelGuest>; problems: readonly Problem[] }> {
    const guests = new Map<string, KernelGuest>();
    const problems: Problem[] = [];
    for (const { id, name, process } of entries) {
      if (process === undefined) continue;
      const { memory } = process;
      const { zeroPages = 0, mergingPages, profitBytes } = await this.ksmStatOf(process.pid, name, problems);
      guests.set(id, {
        hugetlbBytes: memory('HugetlbPages'),
        ...(profitBytes === undefined ? {} : { ksmProfitBytes: profitBytes }),
        ...(mergingPages === undefined ? {} : { mergedBytes: mergingPages * this.pageSizeBytes }),
        anonymous: {
          process: lifeOf(process),
          anonBytes: memory('RssAnon'),
          swapBytes: memory('VmSwap'),
          zeroBytes: zeroPages * this.pageSizeBytes,
        },
      });
    }
    return { guests, problems };
  }

  /**
   * PSS of guests in bytes, by identity. A guest of which it cannot be read is left out, and a problem.
   *
   * @param problems of what could not be read.
   */
  async proportional(
    entries: readonly Entry<ReportedName, SeenGuest>[],
    problems: Problem[],
  ): Promise<ReadonlyMap<string, number>> {
    const bytes = new Map<string, number>();
    for (const { id, name, process } of entries) {
      if (process === undefined) continue;
      try {
        const read = await readProportionalMemory(this.root, process.pid);
        if (typeof read === 'number') bytes.set(id, read);
        if (read === 'denied') {
          const sentence = `the guests' PSS cannot be read without CAP_SYS_PTRACE: ${ESTIMATED} (KSM_MEMORY_ACCOUNTING)`;
          problems.push({ subject: 'PSS', sentence });
        }
      } catch (error) {
        problems.push({
          subject: `PSS of ${name}`,
          sentence: `the PSS of guest ${name} cannot be read (${messageOf(error)}): ${ESTIMATED}`,
        });
      }
    }
    return bytes;
  }

  private async listOf(found: readonly FoundGuest[]): Promise<readonly ListedGuest[]> {
    if (found.some((guest) => !this.counting.has(lifeOf(guest)))) await this.look();
    const seen = found.filter((guest) => this.counting.get(lifeOf(guest)) === true);
    const processes = seen.map(({ pid, startTime, description }) => ({ pid, startTime, ...description }));
    return takeInventory([], processes).map(({ id, name, plainName, process }) => ({
      ...{ id, name },
      ...(plainName === undefined ? {} : { plainName }),
      ...(process === undefined ? {} : { pid: process.pid, life: lifeOf(process) }),
    }));
  }

  private async ksmStatOf(pid: number, name: string, problems: Problem[]): Promise<Partial<KsmStat>> {
    const reply = await readKsmStat(this.root, pid, this.reader).catch(
      (error: unknown) => ({ kind: 'odd', why: messageOf(error) }) as const,
    );
    if (reply.kind === 'known') return reply.stat;
    if (reply.kind === 'odd') {
      const sentence = `what KSM does with guest ${name} is not known (${reply.why}): its profit is left out`;
      problems.push({ subject: `profit of ${name}`, sentence });
    }
    return {};
  }
}
