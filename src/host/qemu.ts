import { basename } from 'node:path';
import type { Guest, KernelGuest } from '../core/guest.js';
import { clean } from '../text/clean.js';
import type { Problem } from '../core/problem.js';
import { messageOf } from '../errors.js';
import { Overdue } from './inTime.js';
import type { GuestUsers } from './guestUsers.js';
import { type KsmStat, readKsmStat } from './ksmStat.js';
import { readMemoryFigures } from './meminfo.js';
import { type ProcessName, commandLine, listProcesses, memoryStatus } from './processes.js';
import { firstOf, propertiesOf } from './qemuOptions.js';
import { type Root, pageSizeBytes, readTextIfThere } from './sysfs.js';

/**
 * What the process of a QEMU system emulator is called: qemu-system-x86_64 (Debian, Fedora; comm keeps 15 characters),
 * qemu-kvm (RHEL's /usr/libexec/qemu-kvm), kvm (Proxmox, and Debian's old link), .qemu-system-x8 (NixOS's wrapper),
 * qemu:NAME (`-name process=`). Which of these is a guest, the command line tells.
 */
const QEMU_COMM = /^\.?(qemu|kvm)/;
const QEMU_EXECUTABLE = /^(qemu-system-[\w-]+|qemu-kvm|kvm)$/;
const MIB = 1024 ** 2;
/** A command line may have names of 128 KiB; libvirt's are not longer than those of files. */
const LONGEST_NAME = 255;

/** The processes that may be guests. */
export function listCandidates(root: Root): readonly ProcessName[] {
  return listProcesses(root).filter(({ comm }) => QEMU_COMM.test(comm));
}

/**
 * Finds guests in /proc by what they are, for hosts without libvirt-dbus and while libvirtd is away. The command line of a
 * process is read once and remembered.
 */
export class QemuProcesses {
  private readonly root: Root;
  private readonly users: GuestUsers | undefined;
  private readonly pageSizeBytes: number;
  private known = new Map<number, KnownProcess>();

  /** @param users whose guests count; undefined for everybody's. */
  constructor(root: Root, users?: GuestUsers) {
    this.root = root;
    this.users = users;
    this.pageSizeBytes = pageSizeBytes(root);
  }

  /**
   * The running guests that count. One that ends while it is looked at is left out, and so is one that cannot be looked at: a
   * problem. No guest is promised more than the host has: a command line may say anything.
   */
  async list(problems: Problem[] = []): Promise<readonly Guest[]> {
    const mostBytes = readMemoryFigures(this.root).memTotalBytes;
    return (await this.look(problems)).map(({ guest, memory }) => ({
      ...guest,
      configuredBytes: Math.min(guest.configuredBytes, mostBytes),
      residentBytes: memory('VmRSS'),
      hugetlbBytes: memory('HugetlbPages'),
    }));
  }

  /** What libvirt does not tell, by guest's name. What KSM made of a guest is left out where it cannot be read, and a problem. */
  async kernelGuests(): Promise<{ guests: ReadonlyMap<string, KernelGuest>; problems: readonly Problem[] }> {
    const guests = new Map<string, KernelGuest>();
    const problems: Problem[] = [];
    for (const { pid, startTime, guest, memory } of await this.look(problems)) {
      const { zeroPages = 0, mergingPages, profitBytes } = await this.ksmStatOf(pid, guest.name, problems);
      guests.set(guest.name, {
        hugetlbBytes: memory('HugetlbPages'),
        ...(profitBytes === undefined ? {} : { ksmProfitBytes: profitBytes }),
        ...(mergingPages === undefined ? {} : { mergedBytes: mergingPages * this.pageSizeBytes }),
        anonymous: {
          process: `${pid}.${startTime}`,
          anonBytes: memory('RssAnon'),
          swapBytes: memory('VmSwap'),
          zeroBytes: zeroPages * this.pageSizeBytes,
        },
      });
    }
    return { guests, problems };
  }

  private async ksmStatOf(pid: number, name: string, problems: Problem[]): Promise<Partial<KsmStat>> {
    try {
      const reply = await readKsmStat(this.root, pid);
      return reply.kind === 'told' ? reply.stat : {};
    } catch (error) {
      const sentence = `what KSM makes of guest ${name} is not known (${messageOf(error)}): its profit is left out`;
      problems.push({ subject: `profit of ${name}`, sentence });
      return {};
    }
  }

  private async look(problems: Problem[]): Promise<readonly SeenGuest[]> {
    const next: typeof this.known = new Map();
    const seen: SeenGuest[] = [];
    for (const { pid, comm } of listCandidates(this.root)) {
      const startTime = this.startTime(pid);
      if (startTime === undefined || this.users?.stranger(pid) !== undefined) continue;
      const before = this.known.get(pid);
      const isKnown = before?.startTime === startTime && before.comm === comm;
      const argv = isKnown ? [] : await this.commandLineOf(pid, problems);
      if (argv === undefined) continue;
      const guest = isKnown ? before.guest : guestOf(argv, pid);
      next.set(pid, { comm, startTime, guest });
      const memory = memoryStatus(this.root, pid);
      if (guest === undefined || memory === undefined) continue;
      seen.push({ pid, startTime, guest, memory });
    }
    this.known = next;
    return seen;
  }

  /** Undefined where it does not come in time: the next look tries again. */
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

  /** Field 22 of /proc/PID/stat, which tells a process from a later one of the same pid; the name may hold spaces. */
  private startTime(pid: number): string | undefined {
    const stat = readTextIfThere(`${this.root}/proc/${pid}/stat`);
    return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  }
}

type Identity = Pick<Guest, 'name' | 'configuredBytes'>;

interface KnownProcess {
  readonly comm: string;
  readonly startTime: string;
  readonly guest: Identity | undefined;
}

interface SeenGuest {
  readonly pid: number;
  readonly startTime: string;
  readonly guest: Identity;
  readonly memory: (field: string) => number;
}

/**
 * The guest that a QEMU command line describes; undefined when it is none: another program, a question (`-version`,
 * `-machine help`), libvirt's look at what QEMU can do (`-machine none`).
 *
 * Proxmox lets guests have the same name and tells them apart by `-id`, so there the name is "web (100)". Any user may
 * start QEMU and name it as he likes: the name is cleaned for a terminal.
 */
export function guestOf(argv: readonly string[], pid: number): Identity | undefined {
  if (!QEMU_EXECUTABLE.test(basename(argv[0] ?? ''))) return undefined;
  const machines = propertiesOf(argv, 'type', 'machine', 'M').map((machine) => machine.get('type'));
  const isQuestion = argv.some((word) => /^--?(version|help|h)$/.test(word));
  if (isQuestion || machines.includes('none') || machines.includes('help')) return undefined;

  const given = firstOf(argv, 'guest', 'name');
  const name = given ?? firstOf(argv, 'uuid', 'uuid') ?? `qemu-${pid}`;
  const number = firstOf(argv, 'id', 'id');
  const size = firstOf(argv, 'size', 'm');
  return {
    name: clean(number === undefined ? name : `${name} (${number})`).slice(0, LONGEST_NAME),
    configuredBytes: size === undefined ? 0 : memoryBytes(size),
  };
}

/** QEMU's sizes: "2048" (MiB), "2097152k", "1.5G". 0 for what is none. */
function memoryBytes(size: string): number {
  const match = /^(\d+(?:\.\d+)?)([bkmgt]?)$/i.exec(size);
  if (match === null) return 0;
  const unit = { b: 1, k: 1024, m: MIB, g: 1024 ** 3, t: 1024 ** 4 }[(match[2] ?? '').toLowerCase()] ?? MIB;
  return Math.trunc(Number(match[1]) * unit);
}
