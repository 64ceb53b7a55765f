import type { ReadStream, WriteStream } from 'node:tty';
import { Observable, Subject } from 'rxjs';

const ESC = '\u001b[';
/** The other screen, no cursor, and no going on in the next line where a text is wider than it seems. */
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}?7l`;
const LEAVE = `${ESC}0m${ESC}?7h${ESC}?25h${ESC}?1049l`;
const CLEAR = `${ESC}2J`;
/** What is between these two is shown at once, by terminals that know them. */
const [BEGIN, END] = [`${ESC}?2026h`, `${ESC}?2026l`];
const [CTRL_L, CTRL_Z] = ['\u000c', '\u001a'];
const ENDING = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;
/** When a stop does not come, as without a shell that could let us go on. */
const RETURN_MILLIS = 50;
/** Of a terminal that does not say. */
const USUAL: FrameSize = { columns: 80, rows: 24 };

/**
 * A terminal taken for a time.
 *
 * INVARIANTS: on every way out that a process can see (close, a signal, an error that nobody caught, the end of the process)
 * the terminal is as it was before anything else is written; while we are stopped as well.
 */
export class Screen {
  /** A character each; escape sequences of other keys are left out. */
  readonly key$: Observable<string>;
  /** When something was drawn over, or the size is another: draw again. */
  readonly redraw$: Observable<undefined>;
  /** The exit status, when a signal or the end of the terminal says so. */
  readonly end$: Observable<number>;
  private readonly keys = new Subject<string>();
  private readonly redraws = new Subject<undefined>();
  private readonly ends = new Subject<number>();
  private shown: readonly string[] = [];
  private taken = false;
  private returning: NodeJS.Timeout | undefined;

  constructor(
    private readonly input: ReadStream,
    private readonly output: WriteStream,
  ) {
    this.key$ = this.keys.asObservable();
    this.redraw$ = this.redraws.asObservable();
    this.end$ = this.ends.asObservable();
    input.setEncoding('utf8').on('data', this.read).on('end', this.hangUp).on('error', this.hangUp);
    output.on('resize', this.resize).on('error', this.hangUp);
    for (const signal of Object.keys(ENDING)) process.on(signal, this.signalled);
    process.on('SIGTSTP', this.suspend).on('SIGCONT', this.resume);
    process.on('exit', this.leave).on('uncaughtExceptionMonitor', this.leave);
    this.enter();
  }

  get size(): FrameSize {
    const { columns, rows } = this.output;
    return columns > 0 && rows > 0 ? { columns, rows } : USUAL;
  }

  /** Shows these lines, each no wider than the terminal; writes what differs from what is shown, all in one. */
  draw(lines: readonly string[]): void {
    if (!this.taken) return;
    const { rows } = this.size;
    const changed = Array.from({ length: rows }, (_, row) => {
      const line = lines[row] ?? '';
      return line === this.shown[row] ? '' : `${ESC}${row + 1};1H${ESC}K${line}`;
    }).join('');
    const begin = this.shown.length === 0 ? CLEAR : '';
    this.shown = Array.from({ length: rows }, (_, row) => lines[row] ?? '');
    if (changed !== '') this.output.write(`${BEGIN}${begin}${changed}${END}`);
  }

  close(): void {
    this.leave();
    clearTimeout(this.returning);
    this.input.off('data', this.read).off('end', this.hangUp).off('error', this.hangUp).pause();
    this.output.off('resize', this.resize).off('error', this.hangUp);
    for (const signal of Object.keys(ENDING)) process.off(signal, this.signalled);
    process.off('SIGTSTP', this.suspend).off('SIGCONT', this.resume);
    process.off('exit', this.leave).off('uncaughtExceptionMonitor', this.leave);
  }

  private enter(): void {
    this.taken = true;
    this.shown = [];
    this.input.setRawMode(true);
    this.output.write(ENTER);
  }

  private readonly leave = (): void => {
    if (!this.taken) return;
    this.taken = false;
    this.input.setRawMode(false);
    this.output.write(LEAVE);
  };

  private readonly read = (text: string): void => {
    if (text.startsWith('\u001b')) return;
    for (const key of text) {
      if (key === CTRL_Z) this.suspend();
      else if (key === CTRL_L) this.resize();
      else this.keys.next(key);
    }
  };

  private readonly resize = (): void => {
    this.shown = [];
    this.redraws.next(undefined);
  };

  /** Nothing more can be written. */
  private readonly hangUp = (): void => {
    this.taken = false;
    this.ends.next(128 + ENDING.SIGHUP);
  };

  private readonly signalled = (signal: keyof typeof ENDING): void => {
    this.ends.next(128 + ENDING[signal]);
  };

  private readonly suspend = (): void => {
    this.leave();
    process.off('SIGTSTP', this.suspend);
    process.kill(process.pid, 'SIGTSTP');
    this.returning = setTimeout(() => {
      if (!this.taken) this.resume();
    }, RETURN_MILLIS);
  };

  /** Also after a SIGSTOP, which nobody sees coming. */
  private readonly resume = (): void => {
    process.off('SIGTSTP', this.suspend).on('SIGTSTP', this.suspend);
    this.enter();
    this.redraws.next(undefined);
  };
}

export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}
