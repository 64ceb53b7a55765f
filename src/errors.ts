import type { ExitStatus } from './exit.js';

export { EXIT, type ExitStatus } from './exit.js';

/** An end that has a reason which a person can act on: it is printed without a stack, and the process ends with `status`. */
export class FatalError extends Error {
  override readonly name = 'FatalError';
  readonly status: ExitStatus;

  constructor(message: string, status: ExitStatus) {
    super(message);
    this.status = status;
  }
}

/** The errno name of a failed system call ("ENOENT"), or undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The stack of anything thrown, where it has one. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/**
 * Tells on stderr that stdout cannot be written, and calls `end`. A reader that has gone is no failure: it may stop reading,
 * as head does.
 */
export function watchStdout(program: string, end: () => void): void {
  process.stdout.on('error', (error) => {
    if (errnoOf(error) === 'EPIPE') return;
    process.stderr.write(`${program}: stdout cannot be written (${errnoOf(error) ?? messageOf(error)})\n`);
    end();
  });
}
