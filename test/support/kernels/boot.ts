import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeScratch, scratchDirectory } from '../scratch.js';
import type { Architecture } from './apt.js';
import type { TestKernel } from './catalogue.js';
import { kernelInitramfs } from './initramfs.js';
import type { CaseFacts, Plan, Report } from './report.js';

const MEMORY_MIB = 1024;
/** What each part of a report begins with on the console. */
const PART = /^@(\{.*\})\r?$/gm;
/** Each processor is a thread of QEMU's. */
const ALL_CPUS = ['-accel', 'tcg,thread=multi'];
/** Of the console, when something goes wrong. */
const SHOWN_LINES = 30;

/** What a kernel is booted with, and where its console is. mem-merge=off: this machine's own KSM does not see the guests of the guest. */
const MACHINES: Readonly<Record<Architecture, readonly [console: string, ...command: readonly string[]]>> = {
  amd64: ['ttyS0', 'qemu-system-x86_64', '-M', 'q35,mem-merge=off', '-cpu', 'max'],
  // The real pointer authentication is most of the time that QEMU takes.
  arm64: ['ttyAMA0', 'qemu-system-aarch64', '-M', 'virt,mem-merge=off', '-cpu', 'max,pauth-impdef=on'],
};

/** Boots it in QEMU without KVM, and resolves to what the programs of `inside/` found there. */
export async function runInKernel({ architecture }: TestKernel, image: string, plan: Plan): Promise<Report> {
  const scratch = await scratchDirectory('kernel');
  try {
    const initramfs = await kernelInitramfs(architecture, plan, scratch);
    const seconds = plan.stepSeconds * (2 + plan.cases.length * 3);
    return reportOf(await consoleOf({ architecture, image, initramfs, seconds, accelerator: ALL_CPUS }, scratch));
  } finally {
    await removeScratch(scratch);
  }
}

/** What is booted, and how. */
export interface Machine {
  readonly architecture: Architecture;
  readonly image: string;
  readonly initramfs: Buffer;
  /** How long it may take. */
  readonly seconds: number;
  /** QEMU's options. */
  readonly accelerator: readonly string[];
  /** For the kernel, and after `--` for /init. */
  readonly commandLine?: string;
}

/** Resolves to what its console shows until it switches itself off, and how it ended if not so. `scratch`: a directory of its own. */
export async function consoleOf(machine: Machine, scratch: string): Promise<string> {
  const { architecture, image, initramfs, seconds, accelerator, commandLine = '' } = machine;
  const initrd = join(scratch, 'initramfs');
  await writeFile(initrd, initramfs);
  // A file takes what it is given; to a pipe that is full QEMU's serial line loses characters.
  const log = join(scratch, 'console.log');
  const [console, ...command] = MACHINES[architecture];
  const ended = await runToItsEnd(
    [
      ...[...command, ...accelerator, '-smp', '2', '-m', String(MEMORY_MIB)],
      ...['-nodefaults', '-display', 'none', '-no-reboot', '-serial', `file:${log}`],
      ...['-kernel', image, '-initrd', initrd],
      ...['-append', `console=${console} panic=-1 quiet loglevel=3 ${commandLine}`],
    ],
    seconds,
  );
  return `${await readFile(log, 'utf8').catch(() => '')}${ended}`;
}

/** Resolves to how it ended, which is nothing if all was well. The command cannot outlive this process. */
function runToItsEnd(command: readonly string[], seconds: number): Promise<string> {
  const options = { timeout: seconds * 1000, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) => {
    const child = execFile('setpriv', ['--pdeathsig', 'KILL', '--', ...command], options, (error, _stdout, stderr) => {
      if (error === null) resolve('');
      else resolve(child.signalCode === 'SIGKILL' ? `killed after ${seconds} s` : stderr);
    });
  });
}

/** What /init and its programs reported. */
export function partsOf(console: string): readonly unknown[] {
  return [...console.matchAll(PART)].map(([, json]) => JSON.parse(json ?? '') as unknown);
}

/** The last lines of what else is there. */
export function restOf(console: string): string {
  return console.replaceAll(PART, '').trim().split('\n').slice(-SHOWN_LINES).join('\n');
}

function reportOf(console: string): Report {
  const parts = partsOf(console) as readonly Part[];
  const cases = parts.flatMap((part) => part.case ?? []);
  const { failure, done, kernel, doctor } = Object.assign({}, ...parts) as Part;
  return {
    ...(kernel && { kernel }),
    ...(doctor && { doctor }),
    cases,
    ...(done !== true && { failure: `${failure ?? 'it did not get to the end'}\n${restOf(console)}` }),
  };
}

type Part = Omit<Report, 'cases'> & { readonly case?: CaseFacts; readonly done?: true };
