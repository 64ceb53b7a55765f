import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KernelFacts } from './report.js';

const HOSTS = 'fixtures/hosts';
const KSM = 'sys/kernel/mm/ksm';
/** What differs from host to host: what guests are called and do, the release, swap devices. */
const NOT_THE_KERNELS = /\/(cmdline|comm|status|stat|auxv|osrelease|swaps)$/;

/** What a fixture says the kernel shows. Those of a guest are there as those of the process that reads them. */
export function fixtureFiles(fixture: string): readonly string[] {
  return [...new Set(treeOf(fixture).map(kernelPath))];
}

/** Files and lines in which a fixture differs from the kernel that it is said to be a host of: none if all is well. */
export function fixtureFaults(fixture: string, { ksm, files }: KernelFacts): readonly string[] {
  const names = new Set(readdirSync(join(HOSTS, fixture, KSM)));
  const missing = Object.keys(ksm).filter((name) => !names.has(name));
  const faults = treeOf(fixture).flatMap((path) => {
    const real = files[kernelPath(path)];
    if (real === undefined) return [`${path}: this kernel has no such file`];
    const shapes = new Set(shapesOf(real));
    const own = shapesOf(readFileSync(join(HOSTS, fixture, path), 'utf8'));
    return own.filter((shape) => !shapes.has(shape)).map((shape) => `${path}: ${shape}`);
  });
  return [...missing.map((name) => `${KSM}/${name} is missing`), ...faults];
}

function treeOf(fixture: string): readonly string[] {
  return ['proc', 'sys']
    .filter((top) => existsSync(join(HOSTS, fixture, top)))
    .flatMap((top) =>
      readdirSync(join(HOSTS, fixture, top), { withFileTypes: true, recursive: true })
        .filter((file) => file.isFile())
        .map((file) => join(file.parentPath, file.name).slice(join(HOSTS, fixture).length + 1)),
    )
    .filter((path) => !NOT_THE_KERNELS.test(path));
}

function kernelPath(path: string): string {
  return `/${path.replace(/^proc\/\d+\//, 'proc/self/')}`;
}

/** Its lines without their figures, and without the marks of the choice that is in force. */
function shapesOf(text: string): readonly string[] {
  const lines = text.trimEnd().split('\n');
  return lines.map((line) => line.replaceAll(/-?\d+/g, 'N').replaceAll(/[[\]]/g, '').replaceAll(/\s+/g, ' ').trim());
}
