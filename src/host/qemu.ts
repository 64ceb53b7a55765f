import { basename } from 'node:path';
import type { Guest } from '../core/guest.js';
import { commandLine, listProcesses } from './processes.js';
import { type Root, readTextIfThere } from './sysfs.js';

/**
 * What a QEMU system emulator's process is called: qemu-system-x86_64 (Debian, Fedora; comm keeps 15 characters), qemu-kvm
 * (RHEL's /usr/libexec/qemu-kvm), kvm (Proxmox, and Debian's old link), and what libvirt calls its child until it has
 * started QEMU is none of these.
 */
const QEMU_COMM = /^(qemu-system-|qemu-kvm$|kvm$)/;
const QEMU_EXECUTABLE = /^(qemu-system-\w+|qemu-kvm|kvm)$/;
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
      const residentBytes = this.residentBytes(pid);
      if (guest !== undefined && residentBytes !== undefined) guests.push({ ...guest, residentBytes });
    }
    this.known = next;
    return guests;
  }

  /** Field 22 of /proc/PID/stat, which tells a process from a later one of the same pid; the name may hold spaces. */
  private startTime(pid: number): string | undefined {
    const stat = readTextIfThere(`${this.root}/proc/${pid}/stat`);
    return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  }

  /** VmRSS of /proc/PID/status, whose "kB" are 1024 bytes: what ps calls rsz, and ksmtuned adds up. */
  private residentBytes(pid: number): number | undefined {
    const status = readTextIfThere(`${this.root}/proc/${pid}/status`);
    if (status === undefined) return undefined;
    return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  }
}

type Identity = Omit<Guest, 'residentBytes'>;

/** The guest that a QEMU command line describes, undefined when it is none (qemu-img, a probe of libvirt's). */
export function guestOf(argv: readonly string[], pid: number): Identity | undefined {
  if (!QEMU_EXECUTABLE.test(basename(argv[0] ?? ''))) return undefined;
  const name = guestName(option(argv, 'name')) ?? option(argv, 'uuid');
  const isProbe = argv.includes('-qmp') && (option(argv, 'M') ?? option(argv, 'machine')) === 'none';
  if (isProbe || (name === undefined && option(argv, 'm') === undefined)) return undefined;
  return { name: name ?? `qemu-${pid}`, configuredBytes: memoryBytes(option(argv, 'm')) };
}

function option(argv: readonly string[], name: string): string | undefined {
  const at = argv.findIndex((word) => word === `-${name}` || word === `--${name}`);
  return at < 0 ? undefined : argv[at + 1];
}

/** `-name guest=web,debug-threads=on` or `-name web`; a comma in a name is doubled. */
function guestName(value: string | undefined): string | undefined {
  const first = value?.replaceAll(',,', '\0').split(',')[0]?.replaceAll('\0', ',');
  const name = first?.replace(/^guest=/, '');
  return name === '' ? undefined : name;
}

/** `-m 2048`, `-m size=2097152k`, `-m 2G,slots=4`: MiB when there is no unit. 0 when it is not told. */
function memoryBytes(value: string | undefined): number {
  const match = /^(?:size=)?(\d+)([kKmMgGtT]?)/.exec(value ?? '');
  if (match === null) return 0;
  const unit = { k: 1024, m: MIB, g: 1024 ** 3, t: 1024 ** 4 }[(match[2] ?? '').toLowerCase()] ?? MIB;
  return Number(match[1]) * unit;
}
