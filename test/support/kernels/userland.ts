import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { type CpioEntry, PROGRAM } from '../cpio.js';

const execFileAsync = promisify(execFile);

/** This machine's: samepaged starts chrt(1) and nothing else. */
const PROGRAMS = { 'usr/bin/node': process.execPath, 'usr/bin/chrt': '/usr/bin/chrt' };

/** The programs that samepaged needs, with the libraries that they load. */
export async function machineUserland(): Promise<readonly CpioEntry[]> {
  const entries = Object.entries(PROGRAMS).map(([name, path]) => entry(name, path));
  const libraries = await Promise.all(Object.values(PROGRAMS).map(librariesOf));
  return [...entries, ...[...new Set(libraries.flat())].map((path) => entry(path.slice(1), path))];
}

function entry(name: string, path: string): CpioEntry {
  return { name, mode: PROGRAM, content: readFileSync(path) };
}

async function librariesOf(program: string): Promise<readonly string[]> {
  const { stdout } = await execFileAsync('ldd', [program]);
  return [...stdout.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].map(([, path]) => path ?? '');
}
