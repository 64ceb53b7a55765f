import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CACHE } from '../cache.js';
import { lastLine } from '../lastLine.js';
import { unpackBehind } from './apt.js';
import type { TestKernel } from './catalogue.js';

const META_PACKAGE = 'linux-image-cloud-amd64';

/** What a boot loader loads. Kept until the cache is removed. Rejects with one line when it cannot be had. */
export async function kernelImage(kernel: TestKernel): Promise<string> {
  const directory = join(CACHE, 'kernels', kernel.name);
  await mkdir(directory, { recursive: true });
  const kept = (await readdir(directory)).find(isKernel);
  if (kept !== undefined) return join(directory, kept);
  const scratch = await mkdtemp(join(directory, 'making-'));
  try {
    const unpacked = await unpackBehind(META_PACKAGE, kernel.suite, scratch);
    // In /boot, or since Linux 7 beside its modules.
    const file = (await readdir(unpacked, { recursive: true })).find(isKernel);
    if (file === undefined) throw new Error(`the package behind ${META_PACKAGE} has no kernel in it`);
    await rename(join(unpacked, file), join(directory, basename(file)));
    return join(directory, basename(file));
  } catch (error) {
    throw new Error(`no kernel of ${kernel.suite} from Debian's mirror: ${lastLine(error)}`, { cause: error });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function isKernel(path: string): boolean {
  return /^vmlinu[xz](-|$)/.test(basename(path));
}
