import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CHARACTER_DEVICE, cpio, DIRECTORY, PROGRAM } from '../cpio.js';
import { lastLine } from '../lastLine.js';

const execFileAsync = promisify(execFile);

const CACHE = resolve('node_modules/.cache/samepaged/guest');
const META_PACKAGE = 'linux-image-cloud-amd64';
/** The compiler's output has no use for it: it comes from the package's root, wherever the tests were compiled to. */
const SOURCE = resolve('test/support/kvm/guestInit.c');
/** No C library, so that nothing but the compiler is needed. */
const GCC_FLAGS = ['-O2', '-static', '-nostdlib', '-ffreestanding', '-fno-stack-protector', '-fno-pie', '-no-pie'];
const NO_CALLS_TO_MEMSET = '-fno-tree-loop-distribute-patterns';

/** What a guest boots. */
export interface GuestImage {
  readonly kernel: string;
  readonly initramfs: string;
}

/**
 * Debian's cloud kernel, unpacked and not installed, and guestInit.c as its only program. Both are kept in a cache: the
 * kernel until the cache is removed, the program until its source changes. Rejects with one line when they cannot be had.
 */
export async function guestImage(): Promise<GuestImage> {
  await mkdir(CACHE, { recursive: true });
  const [kernel, initramfs] = await Promise.all([obtainKernel(), buildInitramfs()]);
  return { kernel, initramfs };
}

async function obtainKernel(): Promise<string> {
  const kept = (await readdir(CACHE)).find((name) => name.startsWith('vmlinuz-'));
  if (kept !== undefined) return join(CACHE, kept);
  return inScratch(async (scratch) => {
    try {
      const { stdout } = await execFileAsync('apt-cache', ['depends', '--important', META_PACKAGE]);
      const name = /^\s*Depends: (linux-image-\S+)$/m.exec(stdout)?.[1];
      if (name === undefined) throw new Error(`apt-cache knows no kernel behind ${META_PACKAGE}`);
      // As root, apt would download as the user _apt, who cannot write here, and warn about it.
      const download = ['-q', '-o', 'APT::Sandbox::User=root', 'download', name];
      await execFileAsync('apt-get', download, { cwd: scratch });
      const packageFile = (await readdir(scratch)).find((file) => file.endsWith('.deb'));
      if (packageFile === undefined) throw new Error('apt-get left no package file');
      await execFileAsync('dpkg-deb', ['-x', packageFile, '.'], { cwd: scratch });
      const file = (await readdir(join(scratch, 'boot'))).find((entry) => entry.startsWith('vmlinuz-'));
      if (file === undefined) throw new Error(`${name} has no kernel in it`);
      await rename(join(scratch, 'boot', file), join(CACHE, file));
      return join(CACHE, file);
    } catch (error) {
      throw new Error(`no kernel for guests from apt: ${lastLine(error)}`, { cause: error });
    }
  });
}

async function buildInitramfs(): Promise<string> {
  const source = await readFile(SOURCE);
  const key = createHash('sha256').update(source).update(GCC_FLAGS.join()).digest('hex').slice(0, 16);
  const kept = join(CACHE, `initramfs-${key}`);
  const isKept = await access(kept).then(
    () => true,
    () => false,
  );
  if (isKept) return kept;
  return inScratch(async (scratch) => {
    const init = join(scratch, 'init');
    try {
      await execFileAsync('gcc', [...GCC_FLAGS, NO_CALLS_TO_MEMSET, '-o', init, SOURCE]);
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const why = missing ? 'gcc is not installed (package gcc)' : lastLine(error);
      throw new Error(`no program for guests: ${why}`, { cause: error });
    }
    const archive = join(scratch, 'initramfs');
    await writeFile(archive, initramfs(await readFile(init)));
    await rename(archive, kept);
    return kept;
  });
}

/** /dev/console is what the kernel opens as the program's input and output. */
function initramfs(init: Buffer): Buffer {
  return cpio([
    { name: 'dev', mode: DIRECTORY },
    { name: 'dev/console', mode: CHARACTER_DEVICE, major: 5, minor: 1 },
    { name: 'init', mode: PROGRAM, content: init },
  ]);
}

/** In the cache's own file system, out of which the result is renamed: whole or not at all. */
async function inScratch<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(CACHE, 'making-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
