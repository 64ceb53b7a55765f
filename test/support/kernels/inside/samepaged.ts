import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { CaseSpec, DoctorFacts } from '../report.js';

const CONFIG = '/run/ksmtuned.conf';
const BUNDLE = '/lab/bundle';

/** The daemon as it is installed, without libvirt and D-Bus. */
export class Samepaged {
  readonly log: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;

  private constructor() {
    this.#child = spawn(process.execPath, [`${BUNDLE}/samepaged.js`, '--libvirt', 'none', '--config', CONFIG], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) createInterface(stream).on('line', (line) => this.log.push(line));
    }
    this.#ended = once(this.#child, 'close').then(([status]) => status as number | null);
  }

  /**
   * Memory counts as short, so that ksmtuned has a reason to merge; it decides every 10 s instead of every minute. DEBUG: also a
   * decision that changes nothing is logged.
   */
  static start(policy: CaseSpec['policy']): Samepaged {
    writeFileSync(
      CONFIG,
      `KSM_POLICY=${policy}\nKSM_THRES_COEF=80\nKSM_MONITOR_INTERVAL=10\nKSM_SLEEP_MSEC=1\nDEBUG=1\n`,
    );
    return new Samepaged();
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get decided(): boolean {
    return this.log.some((line) => line.includes('"reason"'));
  }

  /** Resolves to the exit status; undefined signal: it ends by itself. */
  async end(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal !== undefined) this.#child.kill(signal);
    return this.#ended;
  }
}

export function doctor(): Promise<DoctorFacts> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [`${BUNDLE}/samepagectl.js`, 'doctor', '--json'],
      (_error, stdout, stderr) => {
        try {
          resolve({ status: child.exitCode, findings: JSON.parse(stdout) as DoctorFacts['findings'] });
        } catch (error) {
          reject(new Error(`doctor: ${stderr}${stdout}`, { cause: error }));
        }
      },
    );
  });
}
