import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Child, type ChildOptions, forkedBy } from './child.js';

const execFileAsync = promisify(execFile);

/** QEMU as root and unconfined, its output in a file instead of virtlogd's pipe, no namespace inside the namespace. */
const QEMU_CONF = `user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
`;

const LIBVIRTD_CONF = `auth_unix_ro = "none"
auth_unix_rw = "none"
`;

/**
 * The first process of the namespaces. Hides what libvirt would share with the machine's own: sockets, state, domains,
 * cgroups, firewall (the network namespace), and /dev/kvm, so that guests are the same on every machine. It ignores
 * SIGCHLD, so that the kernel reaps the QEMUs that end: to libvirt a zombie is a process that will not die, for which it
 * waits 40 s when it has probed QEMU and again when it destroys a guest. (dash cannot ignore SIGCHLD, env can.)
 */
const INIT = `set -eu
for directory in /run /var/lib/libvirt /var/log/libvirt /var/cache/libvirt /etc/libvirt; do
  mount -t tmpfs -o mode=0755 lab $directory
done
cp "$1"/etc/* /etc/libvirt/
if mountpoint -q /sys/fs/cgroup; then umount -R -l /sys/fs/cgroup; fi
mkdir -p /run/dev
mount -t tmpfs -o mode=0755 lab /run/dev
mkdir /run/dev/pts /run/dev/shm /run/dev/net
for node in null zero full random urandom tty ptmx; do
  : >/run/dev/$node
  mount --bind /dev/$node /run/dev/$node
done
mount --bind /dev/pts /run/dev/pts
mount -t tmpfs -o mode=1777 lab /run/dev/shm
mount --move /run/dev /dev
: >"$1"/ready
exec env --ignore-signal=CHLD sleep infinity
`;

/**
 * Mount, PID and network namespaces of a laboratory's own. Everything in them ends when the first process does, and that
 * one ends when this process does; the mounts go with them. Needs root.
 */
export class Namespace {
  readonly #directory: string;
  readonly #daemons: Child[] = [];
  #unshare: Child | undefined;

  /** `directory` is for its files and must be visible inside: not below one of the directories that INIT hides. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async open(): Promise<void> {
    const directory = this.#directory;
    await mkdir(join(directory, 'etc'));
    await writeFile(join(directory, 'etc/qemu.conf'), QEMU_CONF);
    await writeFile(join(directory, 'etc/libvirtd.conf'), LIBVIRTD_CONF);
    const flags = ['--mount', '--pid', '--net', '--propagation', 'private', '--mount-proc', '--fork', '--kill-child'];
    const log = join(directory, 'namespace.log');
    this.#unshare = Child.start('unshare', [...flags, 'sh', '-c', INIT, 'sh', directory], { log, forks: true });
    await this.#unshare.until(() => existsSync(join(directory, 'ready')));
  }

  /** A daemon, which ends with this namespace at the latest. */
  start(command: string, args: readonly string[], env: ChildOptions['env'] = {}): Child {
    const log = join(this.#directory, `${command}.log`);
    const daemon = Child.start('nsenter', [...this.#target(), command, ...args], { log, env, forks: true });
    this.#daemons.push(daemon);
    return daemon;
  }

  /** What the command wrote to stdout; rejects with what it wrote to stderr. */
  async run(command: string, ...args: readonly string[]): Promise<string> {
    try {
      return (await execFileAsync('nsenter', [...this.#target(), command, ...args])).stdout;
    } catch (error) {
      const { stderr = '' } = error as { stderr?: string };
      throw new Error(stderr.trim() || String(error), { cause: error });
    }
  }

  /**
   * Nothing that ran inside is left when it resolves. The kernel does not end the first process before the daemons are
   * reaped, which their nsenter does, if it is not stopped.
   */
  async close(): Promise<void> {
    for (const daemon of this.#daemons) daemon.signal('SIGKILL');
    await this.#unshare?.kill('SIGKILL');
  }

  #target(): string[] {
    const first = this.#unshare?.running === true ? forkedBy(this.#unshare.pid) : undefined;
    if (first === undefined) throw new Error('the laboratory is closed');
    return ['--target', String(first), '--mount', '--pid', '--net', '--'];
  }
}
