import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DEBIAN_MIRROR } from '../cache.js';

const execFileAsync = promisify(execFile);
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Debian's names. */
export type Architecture = 'amd64' | 'arm64';

/**
 * Unpacks packages of one suite into `directory`/x, and installs nothing. Lists and sources are in that directory, so any suite
 * and architecture can be asked for without a change to the machine's own; the machine's apt.conf (proxies) counts.
 */
export class Unpacker {
  readonly #directory: string;
  readonly #options: readonly string[];

  private constructor(directory: string, architecture: Architecture) {
    this.#directory = directory;
    this.#options = [
      `APT::Architecture=${architecture}`,
      `APT::Architectures=${architecture}`,
      `Dir::State::Lists=${directory}/lists`,
      `Dir::State::status=${directory}/status`,
      `Dir::Cache=${directory}/cache`,
      `Dir::Etc::SourceList=${directory}/sources`,
      'Dir::Etc::SourceParts=/dev/null',
      'Acquire::Languages=none',
      // As root, apt would download as the user _apt, who cannot write here, and warn about it.
      'APT::Sandbox::User=root',
    ].flatMap((option) => ['-o', option]);
  }

  /** The lists are there when it resolves. */
  static async of(suite: string, architecture: Architecture, directory: string): Promise<Unpacker> {
    for (const path of ['lists/partial', 'cache/archives/partial']) {
      await mkdir(join(directory, path), { recursive: true });
    }
    await writeFile(join(directory, 'status'), '');
    await writeFile(join(directory, 'sources'), `deb [signed-by=${KEYRING}] ${DEBIAN_MIRROR} ${suite} main\n`);
    const unpacker = new Unpacker(directory, architecture);
    await unpacker.#apt('apt-get', 'update');
    return unpacker;
  }

  /** Resolves to the directory that they are in. */
  async unpack(...packages: readonly string[]): Promise<string> {
    await this.#apt('apt-get', 'download', ...packages);
    const archives = (await readdir(this.#directory)).filter((file) => file.endsWith('.deb'));
    if (archives.length < packages.length) throw new Error('apt-get left no package file');
    for (const archive of archives) {
      await execFileAsync('dpkg-deb', ['-x', archive, 'x'], { cwd: this.#directory });
    }
    return join(this.#directory, 'x');
  }

  /** The package of the newest kernel, for which `metaPackage` stands. */
  async kernelBehind(metaPackage: string): Promise<string> {
    const image = await this.#behind(metaPackage, 'linux-image');
    if (image === undefined) throw new Error(`apt-cache knows no kernel behind ${metaPackage}`);
    // Newer packages have the kernel itself in one of its own.
    return (await this.#behind(image, 'linux-binary')) ?? image;
  }

  async #behind(name: string, kind: string): Promise<string | undefined> {
    const { stdout } = await this.#apt('apt-cache', 'depends', '--important', name);
    return new RegExp(`^\\s*Depends: (${kind}-\\S+)$`, 'm').exec(stdout)?.[1];
  }

  #apt(tool: string, ...args: readonly string[]) {
    return execFileAsync(tool, ['-q', ...this.#options, ...args], { cwd: this.#directory });
  }
}
