import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CACHE } from './cache.js';
import { lastLine } from './lastLine.js';

const execFileAsync = promisify(execFile);

/** Of each line of Node that package.json's `engines` names: the oldest release of the first, the newest of the others. */
export const NODES = ['20.19.0', '22.23.3', '24.21.0'] as const;

/** Node's binary from the npm package that brings it, kept until the cache is removed. Rejects with one line. */
export async function nodeBinary(version: string, architecture: string = process.arch): Promise<string> {
  const name = `node-linux-${architecture}`;
  const directory = join(CACHE, 'nodes', `${name}-${version}`);
  const binary = join(directory, 'node');
  const isKept = await access(binary).then(
    () => true,
    () => false,
  );
  if (isKept) return binary;
  await mkdir(directory, { recursive: true });
  const scratch = await mkdtemp(join(directory, 'making-'));
  try {
    await execFileAsync('npm', ['pack', '--silent', `${name}@${version}`], { cwd: scratch });
    const [archive = ''] = await readdir(scratch);
    await execFileAsync('tar', ['-xzf', archive, '--strip-components=2', 'package/bin/node'], { cwd: scratch });
    await rename(join(scratch, 'node'), binary);
    return binary;
  } catch (error) {
    throw new Error(`no ${name} ${version} from npm: ${lastLine(error)}`, { cause: error });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Those that SAMEPAGED_NODES names, or all of NODES. */
export function askedNodes(): readonly string[] {
  const asked = process.env['SAMEPAGED_NODES']?.split(/[\s,]+/).filter((version) => version !== '');
  return asked ?? NODES;
}
