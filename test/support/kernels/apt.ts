import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DEBIAN_MIRROR } from '../cache.js';

const execFileAsync = promisify(execFile);
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Unpacks into `directory`/x the kernel that `metaPackage` stands for, and installs nothing. Lists and sources are in that
 * directory, so any suite can be asked for without a change to the machine's own; the machine's apt.conf (proxies) counts.
 */
export async function unpackBehind(metaPackage: string, suite: string, directory: string): Promise<string> {
  for (const path of ['lists/partial', 'cache/archives/partial']) {
    await mkdir(join(directory, path), { recursive: true });
  }
  await writeFile(join(directory, 'status'), '');
  await writeFile(join(directory, 'sources'), `deb [signed-by=${KEYRING}] ${DEBIAN_MIRROR} ${suite} main\n`);
  const options = [
    'APT::Architecture=amd64',
    'APT::Architectures=amd64',
    `Dir::State::Lists=${directory}/lists`,
    `Dir::State::status=${directory}/status`,
    `Dir::Cache=${directory}/cache`,
    `Dir::Etc::SourceList=${directory}/sources`,
    'Dir::Etc::SourceParts=/dev/null',
    'Acquire::Languages=none',
    // As root, apt would download as the user _apt, who cannot write here, and warn about it.
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  const apt = (tool: string, ...args: readonly string[]) =>
    execFileAsync(tool, ['-q', ...options, ...args], { cwd: directory });

  await apt('apt-get', 'update');
  const behind = async (name: string, kind: string) => {
    const { stdout } = await apt('apt-cache', 'depends', '--important', name);
    return new RegExp(`^\\s*Depends: (${kind}-\\S+)$`, 'm').exec(stdout)?.[1];
  };
  const image = await behind(metaPackage, 'linux-image');
  if (image === undefined) throw new Error(`apt-cache knows no kernel behind ${metaPackage}`);
  // Newer packages have the kernel itself in one of its own.
  await apt('apt-get', 'download', (await behind(image, 'linux-binary')) ?? image);
  const archive = (await readdir(directory)).find((file) => file.endsWith('.deb'));
  if (archive === undefined) throw new Error('apt-get left no package file');
  await execFileAsync('dpkg-deb', ['-x', archive, 'x'], { cwd: directory });
  return join(directory, 'x');
}
