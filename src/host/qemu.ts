import { basename } from 'node:path';
import type { Guest, KernelGuest } from '../core/guest.js';
import { readKsmStat } from './ksmStat.js';
import { commandLine, listProcesses } from './processes.js';
import { type Root, readTextIfThere } from './sysfs.js';

/**
 * What the process of a QEMU system emulator is called: qemu-system-x86_64 (Debian, Fedora; comm keeps 15 characters),
 * qemu-kvm (RHEL's /usr/libexec/qemu-kvm), kvm (Proxmox, and Debian's old link), .qemu-system-x8 (NixOS's wrapper),
 * qemu:NAME (`-name process=`). Which of these is a guest, the command line tells.
 */
export const QEMU_COMM = /^\.?(qemu|kvm)/;
const QEMU_EXECUTABLE = /^(qemu-system-[\w-]+|qemu-kvm|kvm)$/;
const MIB = 1024 ** 2;

/**
 * Finds guests in /proc by what they are, for hosts without libvirt-dbus and while libvirtd is away. The command line of a
 * process is read once and remembered.
 */
export class QemuProcesses {
  private readonly root: Root;
  private known = new Map<
    number,
    { readonly comm: string; readonly startTime: string; readonly guest: Identity | undefined }
  >();

  constructor(root: Root) {
    this.root = root;
  }

  /** The running guests. One that ends while it is looked at is left out. */
  async list(): Promise<readonly Guest[]> {
    const candidates = listProcesses(this.root).filter(({ comm }) => QEMU_COMM.test(comm));
    const next: typeof this.known = new Map();
    const guests: Guest[] = [];
    for (const { pid, comm } of candidates) {
      const startTime = this.startTime(pid);
      if (startTime === undefined) continue;
      const before = this.known.get(pid);
      const guest =
        before?.startTime === startTime && before.comm === comm
          ? before.guest
          : guestOf((await commandLine(this.root, pid)) ?? [], pid);
      next.set(pid, { comm, startTime, guest });
      const memory = this.memoryOf(pid);
      if (guest !== undefined && memory !== undefined) guests.push({ ...guest, ...memory });
    }
    this.known = next;
    return guests;
  }

  /** What libvirt does not tell, by guest's name. */
  async kernelGuests(): Promise<ReadonlyMap<string, KernelGuest>> {
    const listed = new Map((await this.list()).map(({ name, hugetlbBytes = 0 }) => [name, { hugetlbBytes }]));
    const guests = new Map<string, KernelGuest>(listed);
    for (const [pid, { guest }] of this.known) {
      if (guest === undefined) continue;
      const reply = await readKsmStat(this.root, pid);
      const ksmProfitBytes = reply.kind === 'told' ? reply.stat.profitBytes : undefined;
      if (ksmProfitBytes !== undefined) guests.set(guest.name, { ...listed.get(guest.name), ksmProfitBytes });
    }
    return guests;
  }

  /** Field 22 of /proc/PID/stat, which tells a process from a later one of the same pid; the name may hold spaces. */
  private startTime(pid: number): string | undefined {
    const stat = readTextIfThere(`${this.root}/proc/${pid}/stat`);
    return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  }

  /** From /proc/PID/status, whose "kB" are 1024 bytes. Resident is VmRSS: what ps calls rsz, and ksmtuned adds up. */
  private memoryOf(pid: number): Pick<Guest, 'residentBytes' | 'hugetlbBytes'> | undefined {
    const status = readTextIfThere(`${this.root}/proc/${pid}/status`);
    if (status === undefined) return undefined;
    const bytes = (field: string) => Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024;
    return { residentBytes: bytes('VmRSS'), hugetlbBytes: bytes('HugetlbPages') };
  }
}

type Identity = Pick<Guest, 'name' | 'configuredBytes'>;

/**
 * The guest that a QEMU command line describes; undefined when it is none: another program, a question (`-version`,
 * `-machine help`), libvirt's look at what QEMU can do (`-machine none`).
 *
 * Proxmox lets guests have the same name and tells them apart by `-id`, so there the name is "web (100)".
 */
export function guestOf(argv: readonly string[], pid: number): Identity | undefined {
  if (!QEMU_EXECUTABLE.test(basename(argv[0] ?? ''))) return undefined;
  const machine = [...options(argv, 'M'), ...options(argv, 'machine')].map((value) => field(value, 'type'));
  const isQuestion = argv.some((word) => /^--?(version|help|h)$/.test(word));
  if (isQuestion || machine.includes('none') || machine.includes('help')) return undefined;

  const given = last(options(argv, 'name').map((value) => field(value, 'guest')));
  const name = given ?? last(options(argv, 'uuid')) ?? `qemu-${pid}`;
  const number = last(options(argv, 'id'));
  const size = last(options(argv, 'm').map((value) => field(value, 'size')));
  return {
    name: number === undefined ? name : `${name} (${number})`,
    configuredBytes: size === undefined ? 0 : memoryBytes(size),
  };
}

/** The values of an option in the order given; of a repeated one QEMU takes the last that says something. */
function options(argv: readonly string[], name: string): readonly string[] {
  return argv.flatMap((word, at) => {
    const value = argv[at + 1];
    return value !== undefined && (word === `-${name}` || word === `--${name}`) ? [value] : [];
  });
}

/** One field of `a=b,c=d`. The first may stand without its key, which is then `key`; a comma in a value is doubled. */
function field(value: string, key: string): string | undefined {
  const fields = value.replaceAll(',,', '\0').split(',');
  const keyed = fields.find((part) => part.startsWith(`${key}=`))?.slice(key.length + 1);
  const bare = fields[0]?.includes('=') === false ? fields[0] : undefined;
  return (keyed ?? bare)?.replaceAll('\0', ',');
}

function last(values: readonly (string | undefined)[]): string | undefined {
  return values.findLast((value) => value !== undefined && value !== '');
}

/** QEMU's sizes: "2048" (MiB), "2097152k", "1.5G". 0 for what is none. */
function memoryBytes(size: string): number {
  const match = /^(\d+(?:\.\d+)?)([bkmgt]?)$/i.exec(size);
  if (match === null) return 0;
  const unit = { b: 1, k: 1024, m: MIB, g: 1024 ** 3, t: 1024 ** 4 }[(match[2] ?? '').toLowerCase()] ?? MIB;
  return Math.trunc(Number(match[1]) * unit);
}
