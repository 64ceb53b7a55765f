import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CHARACTER_DEVICE, cpio, type CpioEntry, DIRECTORY, PROGRAM } from '../cpio.js';
import { lastLine } from '../lastLine.js';
import type { Architecture } from './apt.js';
import type { Plan } from './report.js';
import { userland } from './userland.js';

const execFileAsync = promisify(execFile);

const SOURCE = resolve('test/support/kernels/kernelInit.c');
const INSIDE = resolve('dist/test/support/kernels/inside');
const MOUNT_POINTS = ['dev', 'proc', 'sys'];
const COMPILERS: Readonly<Record<Architecture, readonly [command: string, packages: string]>> = {
  amd64: ['gcc', 'gcc, libc6-dev'],
  arm64: ['aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu, libc6-dev-arm64-cross'],
};

/** The whole system that a test kernel boots into. `scratch`: an empty directory for what it is made of. */
export async function kernelInitramfs(architecture: Architecture, plan: Plan, scratch: string): Promise<Buffer> {
  const init = await compile(architecture, SOURCE, join(scratch, 'init'));
  const bundle = join(scratch, 'bundle');
  await execFileAsync(process.execPath, ['deploy/bundle.js', bundle]);
  const files: readonly CpioEntry[] = [
    ...(await userland(architecture)),
    { name: 'init', mode: PROGRAM, content: init },
    { name: 'lab/qemu-system-x86_64', mode: PROGRAM, content: init },
    { name: 'lab/plan.json', mode: PROGRAM, content: Buffer.from(JSON.stringify(plan)) },
    { name: 'lab/package.json', mode: PROGRAM, content: Buffer.from('{ "type": "module" }') },
    ...tree(INSIDE, 'lab/inside'),
    ...tree(bundle, 'lab/bundle'),
  ];
  return archive(files);
}

/** With the directories that they are in, and what /init needs before it mounts anything. */
export function archive(files: readonly CpioEntry[]): Buffer {
  const directories = new Set([...MOUNT_POINTS, ...files.flatMap(({ name }) => parents(name))]);
  return cpio([
    ...[...directories].map((name) => ({ name, mode: DIRECTORY })),
    { name: 'dev/console', mode: CHARACTER_DEVICE, major: 5, minor: 1 },
    ...files,
  ]);
}

/** @returns the static program, which is also left in the file `program`. */
export async function compile(architecture: Architecture, source: string, program: string): Promise<Buffer> {
  const [compiler, packages] = COMPILERS[architecture];
  try {
    await execFileAsync(compiler, ['-O2', '-static', '-pthread', '-Wall', '-Wextra', '-Werror', '-o', program, source]);
  } catch (error) {
    throw new Error(`${source} cannot be compiled (packages ${packages}): ${lastLine(error)}`, { cause: error });
  }
  return readFileSync(program);
}

function tree(directory: string, name: string): readonly CpioEntry[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .map((path) => ({ name: name + path.slice(directory.length), mode: PROGRAM, content: readFileSync(path) }));
}

/** The directories above it, the outermost first. */
function parents(name: string): readonly string[] {
  const words = name.split('/').slice(0, -1);
  return words.map((_word, index) => words.slice(0, index + 1).join('/'));
}
