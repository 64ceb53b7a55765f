import { fstatSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, levels, pino } from 'pino';
import { errnoOf, messageOf } from './errors.js';
import { LogFile } from './logFile.js';
import { clean } from './text/clean.js';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>;

export interface LogOptions {
  /** DEBUG: everything, not only what matters. Goes to the LOGFILE where there is one, as with ksmtuned. */
  readonly debug: boolean;
  /** LOGFILE, empty for none. */
  readonly logFile: string;
}

/** The least severe of pino's levels that each of syslog's lets through, from the most severe on. */
const LEAST = {
  emerg: 'fatal',
  alert: 'fatal',
  crit: 'fatal',
  err: 'error',
  warning: 'warn',
  notice: 'warn',
  info: 'info',
  debug: 'debug',
} as const;

export type SyslogLevel = keyof typeof LEAST;
export const SYSLOG_LEVELS = Object.keys(LEAST) as readonly SyslogLevel[];

/** syslog(3) priorities, as journald understands them. */
const PRIORITY: Readonly<Record<string, number>> = { fatal: 2, error: 3, warn: 4, info: 6, debug: 7, trace: 7 };
const STDOUT = 1;
/** With time, level and priority a line stays below 4 KiB. */
const MOST_TEXT_BYTES = 3840;
/** How long the end waits for a reader of stdout that does not read. */
const LAST_WORDS_MILLIS = 1000;

/**
 * The daemon's log: for a person on a terminal, JSON lines elsewhere; each line has journald's priority, as a field and,
 * where stdout is the journal, as its prefix. The LOGFILE gets "TIME: TEXT" lines as ksmtuned writes them.
 */
export class Logging {
  readonly log: Log;
  /** Where stdout goes, as org.freedesktop.LogControl1 names it. */
  readonly target = stdoutIsJournal() ? 'journal' : 'console';
  private readonly print: (line: string) => string;
  private readonly logger: Logger;
  /** minLength 1 writes each line at once as 0 does; but with 0 flush() waits for nothing. */
  private readonly stdout = pino.destination({ fd: STDOUT, sync: false, minLength: 1 });
  private file: LogFile | undefined;
  private options: LogOptions = { debug: false, logFile: '' };
  /**
   * Set by LogLevel, for stdout only. It outlives reloads, as logrotate asks for one at its own time, until one changes
   * DEBUG.
   */
  private levelByHand: SyslogLevel | undefined;

  private constructor(print: (line: string) => string) {
    this.print = print;
    // A reader that has gone away misses the rest; a reader that is slow is waited for by nobody.
    this.stdout.on('error', () => undefined);
    const sink = {
      // pino then sets lastLevel and lastMsg before each write.
      [Symbol.for('pino.metadata')]: true,
      lastLevel: 0,
      lastMsg: '',
      write: (line: string) => {
        const { lastLevel, lastMsg } = sink;
        if (lastLevel >= leastLevel(this.fileLevel)) this.file?.write(`${new Date().toISOString()}: ${lastMsg}\n`);
        if (lastLevel >= leastLevel(this.level)) this.stdout.write(this.print(line));
      },
    };
    this.logger = pino(
      {
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        hooks: {
          logMethod([text, ...more], method) {
            method.apply(this, [typeof text === 'string' ? logText(text) : text, ...more]);
          },
        },
        formatters: { level: (label) => ({ level: label, priority: PRIORITY[label] ?? 6 }) },
      },
      sink,
    );
    this.log = this.logger;
  }

  static async start(options: LogOptions): Promise<Logging> {
    const logging = new Logging(await linePrinter());
    logging.configure(options);
    // What it cannot take goes to stdout from the first line on.
    await logging.file?.written();
    return logging;
  }

  /** Takes a changed configuration; opens the LOGFILE again, so that logrotate may have moved it away. */
  configure(options: LogOptions): void {
    const { debug, logFile } = options;
    if (debug !== this.options.debug) this.levelByHand = undefined;
    this.options = options;
    this.applyLevels();
    this.file?.close();
    this.file = logFile === '' ? undefined : this.open(logFile);
  }

  /** The least severe that stdout gets. With DEBUG=1 and a LOGFILE that can be written the rest is there. */
  get level(): SyslogLevel {
    return this.levelByHand ?? (this.options.debug && this.file === undefined ? 'debug' : 'info');
  }
  set level(level: SyslogLevel) {
    this.levelByHand = level;
    this.applyLevels();
  }

  /** Waits until everything is written, but not long. */
  async flush(): Promise<void> {
    const written = new Promise<void>((resolve) => {
      this.stdout.flush(() => {
        resolve();
      });
    });
    await Promise.race([Promise.all([written, this.file?.written()]), sleep(LAST_WORDS_MILLIS)]);
  }

  private get fileLevel(): SyslogLevel {
    return this.options.debug ? 'debug' : 'info';
  }

  private applyLevels(): void {
    this.logger.level = LEAST[leastLevel(this.level) < leastLevel(this.fileLevel) ? this.level : this.fileLevel];
  }

  private open(path: string): LogFile {
    const file = new LogFile(path, (error, unwritten) => {
      if (this.file !== file) return;
      const elsewhere = this.elsewhere(path, error);
      this.file = elsewhere === undefined ? undefined : this.open(elsewhere);
      for (const text of unwritten) this.file?.write(text);
      const goesOn = elsewhere === undefined ? 'going on without it' : `the log goes to ${elsewhere}`;
      this.log.warn(`LOGFILE ${path} cannot be written (${errnoOf(error) ?? messageOf(error)}): ${goesOn}`);
    });
    return file;
  }

  /** systemd lets the service write to LOGS_DIRECTORY (systemd.exec(5)), and not to /var/log as ksmtuned did. */
  private elsewhere(path: string, refusal: unknown): string | undefined {
    const directory = process.env['LOGS_DIRECTORY']?.split(':')[0] ?? '';
    if (directory === '' || dirname(path) === directory) return undefined;
    return ['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(refusal) ?? '') ? join(directory, basename(path)) : undefined;
  }
}

/** One line, clean and not too long: what is in it may come from a guest, a caller or a file. */
function logText(text: string): string {
  const line = clean(text.replaceAll('\n', String.raw`\n`));
  const bytes = Buffer.from(line);
  if (bytes.length <= MOST_TEXT_BYTES) return line;
  const start = bytes
    .subarray(0, MOST_TEXT_BYTES)
    .toString()
    .replace(/\ufffd+$/, '');
  return `${start} [${bytes.length - MOST_TEXT_BYTES} bytes more]`;
}

function leastLevel(level: SyslogLevel): number {
  return levels.values[LEAST[level]] ?? 0;
}

async function linePrinter(): Promise<(line: string) => string> {
  if (process.stdout.isTTY) {
    // Of a CommonJS module esbuild exports the default alone.
    const { prettyFactory } = (await import('pino-pretty')).default;
    return prettyFactory({
      colorize: process.env['NO_COLOR'] === undefined,
      translateTime: 'SYS:HH:MM:ss',
      hideObject: true,
    });
  }
  if (!stdoutIsJournal()) return (line) => line;
  return (line) => `<${/"priority":(\d)/.exec(line)?.[1] ?? '6'}>${line}`;
}

/** systemd names the device and inode of the journal's socket in JOURNAL_STREAM (systemd.exec(5)). */
function stdoutIsJournal(): boolean {
  const { dev, ino } = fstatSync(STDOUT);
  return process.env['JOURNAL_STREAM'] === `${dev}:${ino}`;
}
