import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Child, forkedBy } from '../child.js';
import { removeScratch, scratchDirectory } from '../scratch.js';
import { toolsImage } from './toolsImage.js';

const execFileAsync = promisify(execFile);

const ENV = { PATH: '/usr/sbin:/usr/bin', HOME: '/root', LC_ALL: 'C.UTF-8' };
const START_MILLIS = 30_000;

/**
 * A throw-away layer over the image as the root of a mount namespace. podman wants a pure cgroup v2, and a root that was pivoted to:
 * with a chroot "podman exec" sees another one.
 */
const INIT = `set -eu
scratch=$1 image=$2 ksm=$3
cd "$scratch"
mkdir upper work root storage
mount -t overlay -o lowerdir="$image",upperdir=upper,workdir=work tools root
mount -t proc proc root/proc
for directory in sys dev; do mount --rbind /$directory root/$directory; done
mount -t tmpfs run root/run
mount -t tmpfs tmp root/tmp
mkdir -p root/var/lib/containers root/etc/containers root/old
mount --bind storage root/var/lib/containers
umount -R root/sys/fs/cgroup
mount -t cgroup2 cgroup root/sys/fs/cgroup
[ -z "$ksm" ] || mount --bind "$ksm" root/sys/kernel/mm/ksm
printf '[containers]\\npids_limit=0\\n[engine]\\ncgroup_manager="cgroupfs"\\nevents_logger="file"\\n' >root/etc/containers/containers.conf
ip link set lo up
cd root
pivot_root . old
cd /
umount -l /old
touch /tmp/ready
exec sleep infinity
`;

export interface ToolsOptions {
  /** A copy of a kernel's files to have in the place of /sys/kernel/mm/ksm. */
  readonly ksm?: string;
  /** Whether it shares this machine's processes and network; otherwise it has its own. */
  readonly sharesHost?: boolean;
}

/** A Debian 13 with podman, kubectl and Ansible; everything in it ends with this process. */
export class Tools implements AsyncDisposable {
  readonly #child: Child;
  readonly #scratch: string;

  private constructor(child: Child, scratch: string) {
    this.#child = child;
    this.#scratch = scratch;
  }

  static async start({ ksm = '', sharesHost = false }: ToolsOptions = {}): Promise<Tools> {
    const image = await toolsImage();
    const scratch = await scratchDirectory('tools');
    const own = sharesHost ? [] : ['--pid', '--net', '--ipc'];
    const flags = ['--mount', ...own, '--propagation', 'private', '--fork', '--kill-child'];
    const child = Child.start('unshare', [...flags, 'bash', '-c', INIT, 'bash', scratch, image, ksm], {
      log: join(scratch, 'log'),
      forks: true,
    });
    const tools = new Tools(child, scratch);
    try {
      await child.until(
        () =>
          tools.run('test', '-e', '/tmp/ready').then(
            () => true,
            () => false,
          ),
        START_MILLIS,
      );
    } catch (error) {
      await tools[Symbol.asyncDispose]();
      throw error;
    }
    return tools;
  }

  get #leader(): number {
    return forkedBy(this.#child.pid) ?? -1;
  }

  /** The stdout of a command in there. Rejects with all that it wrote. */
  async run(command: string, ...args: readonly string[]): Promise<string> {
    const enter = ['--target', String(this.#leader), '--mount', '--pid', '--net', '--ipc', '--'];
    try {
      const words = [...enter, 'env', '--chdir=/', command, ...args];
      return (await execFileAsync('nsenter', words, { env: ENV, maxBuffer: 2 ** 26 })).stdout;
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      throw new Error(`${[command, ...args].join(' ')}: ${stderr}${stdout}`, { cause: error });
    }
  }

  /** Where this process finds a file of it. */
  path(inside: string): string {
    return `/proc/${this.#leader}/root${inside}`;
  }

  async write(inside: string, text: string): Promise<void> {
    await mkdir(dirname(this.path(inside)), { recursive: true });
    await writeFile(this.path(inside), text);
  }

  /** Copies a file or a directory into it. */
  async copy(from: string, inside: string): Promise<void> {
    await cp(from, this.path(inside), { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.kill('SIGKILL');
    await removeScratch(this.#scratch);
  }
}
