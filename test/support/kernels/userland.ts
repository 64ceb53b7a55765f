import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { access, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { CACHE } from '../cache.js';
import { type CpioEntry, PROGRAM } from '../cpio.js';
import { lastLine } from '../lastLine.js';
import { nodeBinary } from '../nodes.js';
import { type Architecture, Unpacker } from './apt.js';

const execFileAsync = promisify(execFile);

/** This machine's: samepaged starts chrt(1) and nothing else. */
const PROGRAMS = { 'usr/bin/node': process.execPath, 'usr/bin/chrt': '/usr/bin/chrt' };

const MACHINE: Architecture | undefined =
  process.arch === 'x64' ? 'amd64' : process.arch === 'arm64' ? 'arm64' : undefined;

/** Of the other architecture: Node from npm, and from Debian 13 what it and chrt load. */
const FOREIGN_NODE = '22.23.3';
const FOREIGN_PACKAGES = ['libc6', 'libstdc++6', 'libgcc-s1', 'util-linux'];
const FOREIGN_TRIPLET = 'usr/lib/aarch64-linux-gnu';
const FOREIGN_FILES = [
  'usr/bin/chrt',
  ...['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'libstdc++.so.6', 'libgcc_s.so.1'].map(
    (name) => `${FOREIGN_TRIPLET}/${name}`,
  ),
];
/** The program interpreter in the binaries has this path. */
const FOREIGN_LOADER = 'lib/ld-linux-aarch64.so.1';

/** The programs that samepaged needs, with the libraries that they load. Rejects with one line. */
export async function userland(architecture: Architecture): Promise<readonly CpioEntry[]> {
  if (architecture === MACHINE) return machineUserland();
  if (architecture === 'arm64') return arm64Userland();
  throw new Error(`no Node for ${architecture} on this machine`);
}

async function machineUserland(): Promise<readonly CpioEntry[]> {
  const entries = Object.entries(PROGRAMS).map(([name, path]) => entry(name, path));
  const libraries = await Promise.all(Object.values(PROGRAMS).map(librariesOf));
  return [...entries, ...[...new Set(libraries.flat())].map((path) => entry(path.slice(1), path))];
}

async function librariesOf(program: string): Promise<readonly string[]> {
  const { stdout } = await execFileAsync('ldd', [program]);
  return [...stdout.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].map(([, path]) => path ?? '');
}

/** Kept until the cache is removed. */
async function arm64Userland(): Promise<readonly CpioEntry[]> {
  const directory = join(CACHE, 'kernels', 'userland-arm64');
  const isKept = await access(directory).then(
    () => true,
    () => false,
  );
  if (!isKept) await makeArm64Userland(directory);
  return [
    entry('usr/bin/node', await nodeBinary(FOREIGN_NODE, 'arm64')),
    ...FOREIGN_FILES.map((name) => entry(name, join(directory, basename(name)))),
    entry(FOREIGN_LOADER, join(directory, basename(FOREIGN_LOADER))),
  ];
}

async function makeArm64Userland(directory: string): Promise<void> {
  await mkdir(join(CACHE, 'kernels'), { recursive: true });
  const scratch = await mkdtemp(join(CACHE, 'kernels', 'making-'));
  try {
    const unpacked = await (await Unpacker.of('trixie', 'arm64', scratch)).unpack(...FOREIGN_PACKAGES);
    const kept = join(scratch, 'kept');
    await mkdir(kept);
    for (const name of [...FOREIGN_FILES, `${FOREIGN_TRIPLET}/${basename(FOREIGN_LOADER)}`]) {
      await cp(join(unpacked, name), join(kept, basename(name)), { dereference: true });
    }
    await rename(kept, directory);
  } catch (error) {
    throw new Error(`no libraries for arm64 from Debian's mirror: ${lastLine(error)}`, { cause: error });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function entry(name: string, path: string): CpioEntry {
  return { name, mode: PROGRAM, content: readFileSync(path) };
}
