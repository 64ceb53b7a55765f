import { execFile } from 'node:child_process';
import { chownSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Child, forkedBy } from '../child.js';
import { eventually } from '../daemon.js';
import { type SavedKsm, resetKsm, restoreKsm, saveKsm } from '../kvm/ksm.js';
import { machineImage } from './machineImage.js';
import { removeScratch, scratchDirectory } from '../scratch.js';

const execFileAsync = promisify(execFile);

const KSM = '/sys/kernel/mm/ksm';
const BOOT_MILLIS = 120_000;
const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' };
/** Part of /sys that the machine may write to, as a host's root may; a copy, so that the kernel is not changed. */
export const WRITABLE_SYS = '/sys/kernel/mm/transparent_hugepage';
/** nspawn's answer, where it is told not to make a unit of its own, to a machine that wants to be booted again. */
const REBOOT_STATUS = 133;

/** Of both versions, and of both at once. */
const CGROUPS = ['', '/systemd', '/unified'].map((hierarchy) => `/sys/fs/cgroup${hierarchy}`);

/**
 * The first process of the namespaces: makes a throw-away layer over the image and boots it, again after each reboot.
 * INVARIANTS: nspawn starts alone in a new cgroup, because it divides the one that it finds; /run is hidden before, because
 * nspawn keeps locks there.
 */
const INIT = `set -eu
scratch=$1 image=$2
shift 2
enter_cgroup() {
  for hierarchy in ${CGROUPS.join(' ')}; do
    [ -e $hierarchy/cgroup.procs ] || continue
    mkdir -p $hierarchy/samepaged-test
    find $hierarchy/samepaged-test -mindepth 1 -depth -type d -delete
    echo 0 >$hierarchy/samepaged-test/cgroup.procs
  done
}
mount -t tmpfs -o mode=0755 machine /run
mount -t tmpfs -o mode=0755 machine "$scratch"
cd "$scratch"
mkdir upper work root
cp -r ${WRITABLE_SYS} sys
mount -t overlay -o lowerdir="$image",upperdir=upper,workdir=work machine root
status=${REBOOT_STATUS}
while [ $status -eq ${REBOOT_STATUS} ]; do
  status=0
  (
    enter_cgroup
    exec systemd-nspawn --directory=root --register=no --keep-unit --boot --console=pipe --capability=CAP_NET_ADMIN \
      --bind="$scratch/sys:${WRITABLE_SYS}" "$@"
  ) || status=$?
done
exit $status
`;

interface MachineSpec {
  /** Whether it has this kernel's KSM, with the kernel's defaults and nothing merged; nobody else may use KSM meanwhile. */
  readonly hasKsm?: boolean;
  readonly image?: () => Promise<string>;
  /** Where it has this checkout, not to be written to. */
  readonly checkoutAt?: string;
}

/**
 * A Debian under its own systemd, without network; if nothing else is said a Debian 13 with libvirtd and QEMU. Everything in it
 * ends and is forgotten when this process ends, however that happens. One at a time.
 */
export class Machine {
  /** Undefined for a machine without this kernel's KSM. */
  readonly #saved: SavedKsm | undefined;
  readonly #scratch: string;
  readonly #nspawn: Child;

  private constructor(saved: SavedKsm | undefined, scratch: string, nspawn: Child) {
    this.#saved = saved;
    this.#scratch = scratch;
    this.#nspawn = nspawn;
  }

  /** All services are up when it resolves. Needs root. */
  static async boot({ hasKsm = true, image = machineImage, checkoutAt }: MachineSpec = {}): Promise<Machine> {
    const directory = await image();
    const saved = hasKsm ? await saveKsm() : undefined;
    const scratch = await scratchDirectory('machine');
    const log = join(scratch, 'console.log');
    // The log stays in the directory under the mount.
    const flags = ['--mount', '--pid', '--net', '--propagation', 'private', '--mount-proc', '--fork', '--kill-child'];
    const binds = [
      ...(hasKsm ? [`--bind=${KSM}`] : []),
      ...(checkoutAt === undefined ? [] : [`--bind-ro=${process.cwd()}:${checkoutAt}`]),
    ];
    const nspawn = Child.start('unshare', [...flags, 'sh', '-c', INIT, 'sh', scratch, directory, ...binds], {
      log,
      forks: true,
    });
    const machine = new Machine(saved, scratch, nspawn);
    try {
      if (hasKsm) {
        giveKsmToRoot();
        await resetKsm();
      }
      await machine.#untilUp();
      return machine;
    } catch (error) {
      await machine.stop();
      throw error;
    }
  }

  /** The same disk, booted again; the guests are gone, all services are up when it resolves. */
  async reboot(): Promise<void> {
    const before = this.#leader();
    await this.run('systemctl', 'reboot', '--no-block');
    await this.#nspawn.until(() => this.#leader() !== before && !existsSync(`/proc/${before}`), BOOT_MILLIS);
    await this.#untilUp();
  }

  /** The stdout of a command that root gives there. Rejects with all that it wrote. */
  run(command: string, ...args: readonly string[]): Promise<string> {
    return this.runAs('root', command, ...args);
  }

  async runAs(user: string, command: string, ...args: readonly string[]): Promise<string> {
    const leader = this.#leader();
    if (leader === undefined) throw new Error('the machine is down');
    const enter = ['--target', String(leader), '--all', '--wd', '--'];
    const as = user === 'root' ? [] : ['runuser', '-u', user, '--'];
    try {
      const words = [...enter, ...as, command, ...args];
      return (await execFileAsync('nsenter', words, { env: ENV, maxBuffer: 2 ** 26 })).stdout;
    } catch (error) {
      const { stdout = '', stderr = '', code } = error as { stdout?: string; stderr?: string; code?: number };
      const said = `${stderr}${stdout}`.trim();
      throw new Error(`${[command, ...args].join(' ')}: ${said === '' ? `exit status ${code}` : said}`, {
        cause: error,
      });
    }
  }

  /** Its first process, for who enters its namespaces by himself. */
  get leader(): number {
    const leader = this.#leader();
    if (leader === undefined) throw new Error('the machine is down');
    return leader;
  }

  /** A program of this machine with the network of that one, for those who start it by themselves. */
  get enterNetwork(): readonly string[] {
    return ['nsenter', '--target', String(this.#leader()), '--net', '--'];
  }

  /** Where this process finds a file of the machine's, until the next boot. Not for what is behind an absolute link. */
  path(inside: string): string {
    return `/proc/${this.#leader()}/root${inside}`;
  }

  read(inside: string): string {
    return readFileSync(this.path(inside), 'utf8');
  }

  async write(inside: string, text: string): Promise<void> {
    await writeFile(this.path(inside), text);
  }

  /** A place in the journal, for journal(). */
  async journalEnd(): Promise<string> {
    const cursor = /-- cursor: (.*)/.exec(await this.run('journalctl', '--lines=1', '--show-cursor'))?.[1];
    if (cursor === undefined) throw new Error('journalctl gives no cursor');
    return cursor;
  }

  /** What was written to it since then; of one unit if it is named. */
  async journal(since: string, unit?: string): Promise<string> {
    const only = unit === undefined ? [] : [`--unit=${unit}`];
    return this.run('journalctl', '--no-pager', '--output=short-precise', `--after-cursor=${since}`, ...only);
  }

  /** Idempotent. KSM is as it was, and nothing is left when it resolves. */
  async stop(): Promise<void> {
    await this.#nspawn.kill('SIGKILL');
    await removeCgroups();
    await removeScratch(this.#scratch);
    if (this.#saved === undefined) return;
    giveKsmToRoot();
    await restoreKsm(this.#saved);
  }

  /** The machine's first process, as it is called out here; undefined while it is down. */
  #leader(): number | undefined {
    try {
      const shell = this.#nspawn.running ? forkedBy(this.#nspawn.pid) : undefined;
      const nspawn = shell === undefined ? undefined : forkedBy(shell);
      return nspawn === undefined ? undefined : forkedBy(nspawn);
    } catch {
      return undefined;
    }
  }

  async #untilUp(): Promise<void> {
    const state = () => this.run('systemctl', 'is-system-running').catch(String);
    await this.#nspawn.until(async () => /\b(running|degraded)$/.test((await state()).trim()), BOOT_MILLIS);
  }
}

/** A samepaged that runs as a user of the machine's owns the kernel's files until it ends. */
function giveKsmToRoot(): void {
  for (const name of readdirSync(KSM)) chownSync(join(KSM, name), 0, 0);
}

/** Those of the machine, which the kernel lets go once the last process in them is gone. */
async function removeCgroups(): Promise<void> {
  const there = CGROUPS.map((hierarchy) => `${hierarchy}/samepaged-test`).filter((directory) => existsSync(directory));
  if (there.length === 0) return;
  await eventually(() =>
    execFileAsync('find', [...there, '-depth', '-type', 'd', '-delete']).then(
      () => true,
      () => undefined,
    ),
  );
}
