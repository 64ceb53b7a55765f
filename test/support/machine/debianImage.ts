import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CACHE, DEBIAN_MIRROR } from '../cache.js';

const execFileAsync = promisify(execFile);

interface ImageSpec {
  /** What its directory is called, before a hyphen. */
  readonly name: string;
  readonly suite: string;
  readonly packages: readonly string[];
  /** mmdebstrap's customize hooks. */
  readonly hooks: readonly string[];
}

/**
 * The root directory of a Debian, not to be written to. Made with mmdebstrap from Debian's mirror, and kept until the
 * specification changes; a change removes the earlier one of that name. Needs root.
 */
export async function debianImage({ name, suite, packages, hooks }: ImageSpec): Promise<string> {
  const source = `deb ${DEBIAN_MIRROR} ${suite} main`;
  const args = [
    '--variant=minbase',
    `--include=${packages.join(',')}`,
    ...hooks.map((hook) => `--customize-hook=${hook}`),
  ];
  const key = createHash('sha256')
    .update([...args, source].join('\n'))
    .digest('hex')
    .slice(0, 16);
  const directory = join(CACHE, `${name}-${key}`);
  const isKept = await access(directory).then(
    () => true,
    () => false,
  );
  if (isKept) return directory;
  await mkdir(CACHE, { recursive: true });
  const earlier = (await readdir(CACHE)).filter((entry) => entry.startsWith(`${name}-`));
  for (const entry of earlier) await rm(join(CACHE, entry), { recursive: true });
  const making = `${directory}.making`;
  try {
    await execFileAsync('mmdebstrap', ['--quiet', ...args, suite, making, source]);
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const why = stderr.trim().split('\n').at(-1) ?? String(error);
    throw new Error(`no ${suite} from mmdebstrap: ${why}`, { cause: error });
  }
  await rename(making, directory);
  return directory;
}
