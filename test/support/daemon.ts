import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { CTL, DAEMON } from './programs.js';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Node's flags of every samepaged, as SAMEPAGED_NODE_FLAGS says: the service has some. */
const NODE_FLAGS = (process.env['SAMEPAGED_NODE_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '');

const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** A running samepaged with its log. */
export class DaemonProcess implements AsyncDisposable {
  readonly lines: LogLine[] = [];
  /** What it wrote that was not a log line. */
  readonly other: string[] = [];
  readonly child: ChildProcess;
  private readonly ended: Promise<{ status: number | null; signal: NodeJS.Signals | null }>;

  private constructor(child: ChildProcess) {
    this.child = child;
    living.add(child);
    this.ended = once(child, 'close').then(([status, signal]) => {
      living.delete(child);
      return { status: status as number | null, signal: signal as NodeJS.Signals | null };
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface(stream).on('line', (line) => {
        if (line.startsWith('{')) this.lines.push(JSON.parse(line) as LogLine);
        else this.other.push(line);
      });
    }
  }

  static start(
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    { uid, nodeFlags = NODE_FLAGS }: { readonly uid?: number | undefined; readonly nodeFlags?: readonly string[] } = {},
  ): DaemonProcess {
    const child = spawn(process.execPath, [...nodeFlags, DAEMON, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    return new DaemonProcess(child);
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** Everything it said so far, for a failing test's message. */
  get output(): string {
    return [...this.lines.map(({ level, msg }) => `${level}: ${msg}`), ...this.other].join('\n');
  }

  /** The first log line after the first `skip` lines that matches. Rejects with the whole output when it does not come. */
  async line(pattern: RegExp, { skip = 0 } = {}): Promise<LogLine> {
    return eventually(
      () => this.lines.slice(skip).find(({ msg }) => pattern.test(msg)),
      () => `no log line matches ${String(pattern)} in:\n${this.output}`,
    );
  }

  /** Sends a signal and waits for the end; gives the exit status, or the signal it died of. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | null> {
    this.child.kill(signal);
    return this.exit();
  }

  /** Waits until it ends by itself. */
  async exit(): Promise<number | NodeJS.Signals | null> {
    const { status, signal } = await this.ended;
    return signal ?? status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.end('SIGKILL');
  }
}

/** Runs the daemon to its end, for flags that only print. */
export async function runDaemon(args: readonly string[]): Promise<CommandResult> {
  return runNode(DAEMON, args);
}

/** Runs samepagectl. */
export async function runCtl(args: readonly string[]): Promise<CommandResult> {
  return runNode(CTL, args);
}

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function runNode(script: string, args: readonly string[]): Promise<CommandResult> {
  const flags = script === DAEMON ? NODE_FLAGS : [];
  const child = spawn(process.execPath, [...flags, script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr };
}

/** So long something may take on a machine whose CPUs others keep busy. */
const DEADLINE_MILLIS = 120_000;
/** The same for what ksmd does: of class SCHED_IDLE it waits there for five minutes before samepaged raises it. */
export const KSMD_DEADLINE_MILLIS = 600_000;

/** Polls until `probe` gives something. */
export async function eventually<T>(
  probe: () => T | undefined | Promise<T | undefined>,
  complaint: () => string = () => 'it did not happen in time',
  deadlineMillis = DEADLINE_MILLIS,
): Promise<T> {
  const deadline = performance.now() + deadlineMillis;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(complaint());
    await sleep(5);
  }
}
