import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CACHE } from '../cache.js';
import { lastLine } from '../lastLine.js';
import { Unpacker } from './apt.js';
import type { TestKernel } from './catalogue.js';

/** What a boot loader loads. Kept until the cache is removed. Rejects with one line when it cannot be had. */
export async function kernelImage({ name, suite, architecture, metaPackage }: TestKernel): Promise<string> {
  const directory = join(CACHE, 'kernels', name);
  await mkdir(directory, { recursive: true });
  const kept = (await readdir(directory)).find(isKernel);
  if (kept !== undefined) return join(directory, kept);
  const scratch = await mkdtemp(join(directory, 'making-'));
  try {
    const unpacker = await Unpacker.of(suite, architecture, scratch);
    const unpacked = await unpacker.unpack(await unpacker.kernelBehind(metaPackage));
    // In /boot, or since Linux 7 beside its modules.
    const file = (await readdir(unpacked, { recursive: true })).find(isKernel);
    if (file === undefined) throw new Error(`the package behind ${metaPackage} has no kernel in it`);
    await rename(join(unpacked, file), join(directory, basename(file)));
    return join(directory, basename(file));
  } catch (error) {
    throw new Error(`no kernel of ${suite} from Debian's mirror: ${lastLine(error)}`, { cause: error });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function isKernel(path: string): boolean {
  return /^vmlinu[xz](-|$)/.test(basename(path));
}
