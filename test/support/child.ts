import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface ChildOptions {
  /** Where its stdout and stderr go; appended to. */
  readonly log: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The command (unshare, nsenter) forks once and waits: signals are meant for what it forked. */
  readonly forks?: boolean;
}

/** The daemons are in sbin, which only root's PATH is sure to have. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
const alive = new Set<Child>();

process.on('exit', () => {
  for (const child of alive) child.signal('SIGKILL');
});

/** The process that `pid` forked and waits for, if there is one. */
export function forkedBy(pid: number): number | undefined {
  const first = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0];
  return first ? Number(first) : undefined;
}

/**
 * A process that cannot outlive this one: the kernel kills it when this process dies, however it dies.
 * It does not keep the event loop alive.
 */
export class Child {
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #options: ChildOptions;
  readonly #exited: Promise<void>;
  #failure = '';

  private constructor(command: string, args: readonly string[], options: ChildOptions) {
    this.#name = command;
    this.#options = options;
    const log = openSync(options.log, 'a');
    this.#process = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
      stdio: ['ignore', log, log],
      env: { ...process.env, PATH, ...options.env },
    });
    closeSync(log);
    alive.add(this);
    this.#exited = new Promise<void>((resolve) => {
      const end = (): void => {
        alive.delete(this);
        resolve();
      };
      this.#process.once('exit', end);
      this.#process.once('error', (error) => {
        this.#failure = error.message;
        end();
      });
    });
    this.#process.unref();
  }

  static start(command: string, args: readonly string[], options: ChildOptions): Child {
    return new Child(command, args, options);
  }

  get running(): boolean {
    return alive.has(this);
  }

  /** Of the process spawned: of unshare or nsenter, not of what they forked. */
  get pid(): number {
    if (this.#process.pid === undefined) throw new Error(`${this.#name}: ${this.#failure}`);
    return this.#process.pid;
  }

  /**
   * Delivered and not waited for; nothing when the process has ended. nsenter and unshare stop themselves when what they
   * forked is stopped, and go on, and let that go on, only when told so themselves.
   */
  signal(signal: NodeJS.Signals): void {
    if (!this.running || this.#process.pid === undefined) return;
    const forked = this.#options.forks === true ? forkedBy(this.#process.pid) : undefined;
    try {
      process.kill(forked ?? this.#process.pid, signal);
      if (forked !== undefined && signal !== 'SIGSTOP') process.kill(this.#process.pid, 'SIGCONT');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** Resolves when the process has ended, also when it had before. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#process.ref();
    this.signal(signal);
    await this.#exited;
  }

  /** Polls until `probe` is true. Rejects with what the process wrote if it ends before that, or after `timeoutMillis`. */
  async until(probe: () => Promise<boolean> | boolean, timeoutMillis = 60_000): Promise<void> {
    const end = performance.now() + timeoutMillis;
    while (!(await probe())) {
      if (!this.running) throw new Error(`${this.#name} ended: ${this.#failure}${this.#tail()}`);
      if (performance.now() > end) throw new Error(`${this.#name} is not ready: ${this.#tail()}`);
      await delay(5);
    }
  }

  #tail(): string {
    return readFileSync(this.#options.log, 'utf8').slice(-2000);
  }
}
