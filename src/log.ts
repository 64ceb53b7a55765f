import { closeSync, constants, fstatSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, levels, pino } from 'pino';
import { errnoOf, messageOf } from './errors.js';
import { openPlain } from './plainFile.js';
import { clean } from './text/clean.js';

const { O_APPEND, O_CREAT, O_WRONLY } = constants;

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
  private readonly stdout = pino.destination({ fd: STDOUT, sync: false });
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
        // First: a file that is lost leaves the line to stdout.
        if (lastLevel >= leastLevel(this.fileLevel)) this.writeToFile(`${new Date().toISOString()}: ${lastMsg}\n`);
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
    return logging;
  }

  /** Takes a changed configuration; opens the LOGFILE again, so that logrotate may have moved it away. */
  configure(options: LogOptions): void {
    const { debug, logFile } = options;
    if (debug !== this.options.debug) this.levelByHand = undefined;
    this.options = options;
    this.applyLevels();
    if (this.file !== undefined) closeSync(this.file.fd);
    this.file = undefined;
    if (logFile === '') return;
    try {
      this.file = openLog(logFile);
    } catch (error) {
      this.openElsewhere(logFile, error);
    }
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
    await Promise.race([written, sleep(LAST_WORDS_MILLIS)]);
  }

  private get fileLevel(): SyslogLevel {
    return this.options.debug ? 'debug' : 'info';
  }

  private applyLevels(): void {
    this.logger.level = LEAST[leastLevel(this.level) < leastLevel(this.fileLevel) ? this.level : this.fileLevel];
  }

  private writeToFile(line: string): void {
    if (this.file === undefined) return;
    const { fd, path } = this.file;
    try {
      writeSync(fd, line);
    } catch (error) {
      closeSync(fd);
      this.file = undefined;
      this.withoutFile(path, error);
    }
  }

  /** systemd lets the service write to LOGS_DIRECTORY (systemd.exec(5)), and not to /var/log as ksmtuned did. */
  private openElsewhere(path: string, refusal: unknown): void {
    const errno = errnoOf(refusal) ?? '';
    const directory = process.env['LOGS_DIRECTORY']?.split(':')[0] ?? '';
    if (directory === '' || !['EACCES', 'EPERM', 'EROFS'].includes(errno)) {
      this.withoutFile(path, refusal);
      return;
    }
    try {
      this.file = openLog(`${directory}/${basename(path)}`);
      this.log.warn(`LOGFILE ${path} cannot be written (${errno}): the log goes to ${this.file.path}`);
    } catch (error) {
      this.withoutFile(path, error);
    }
  }

  private withoutFile(path: string, error: unknown): void {
    this.log.warn(`LOGFILE ${path} cannot be written (${errnoOf(error) ?? messageOf(error)}): going on without it`);
  }
}

interface LogFile {
  readonly fd: number;
  readonly path: string;
}

function openLog(path: string): LogFile {
  return { fd: openPlain(path, O_WRONLY | O_APPEND | O_CREAT, 0o640), path };
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
