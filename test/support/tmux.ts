import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Child, forkedBy } from './child.js';
import { writeCtlShim } from './ctlShim.js';
import { eventually } from './daemon.js';
import { removeScratch, scratchDirectory } from './scratch.js';

const run = promisify(execFile);
const CONFIG =
  'set -g exit-empty off\nset -g status off\nset -g default-terminal tmux-256color\nset -g escape-time 0\n';
const PROMPT = 'ready> ';
/** Between two looks at the screen, each of which is a process of tmux. */
const PAUSE_MILLIS = 50;

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  /** LANG and LC_ALL; UTF-8 unless told otherwise. */
  readonly locale?: string;
}

/** A terminal with a shell in it, for a test to type into and to look at; samepagectl is on the shell's PATH. */
export class Tmux implements AsyncDisposable {
  readonly #server: Child;

  private constructor(
    readonly directory: string,
    server: Child,
  ) {
    this.#server = server;
  }

  /** The shell waits for a command when it resolves. */
  static async start({ columns = 80, rows = 24, locale = 'C.UTF-8' }: TerminalOptions = {}): Promise<Tmux> {
    const directory = await scratchDirectory('tmux');
    await writeCtlShim(directory);
    await writeFile(join(directory, 'tmux.conf'), CONFIG);
    const args = ['-u', '-D', '-S', join(directory, 'tmux'), '-f', join(directory, 'tmux.conf')];
    // A session has its variables from the client that makes it, not from the server.
    const path = `${directory}${delimiter}${process.env['PATH'] ?? ''}`;
    const variables = `PATH='${path}' LANG=${locale} LC_ALL=${locale} PS1='${PROMPT}'`;
    const tmux = new Tmux(directory, Child.start('tmux', args, { log: join(directory, 'log') }));
    const shell = `exec env ${variables} bash --norc --noprofile -i`;
    const size = ['-x', String(columns), '-y', String(rows)];
    await eventually(() => tmux.#do('new-session', '-d', ...size, shell).catch(() => undefined));
    await tmux.shows(PROMPT.trim());
    return tmux;
  }

  /** Keys as tmux names them ("q", "C-z", "Enter"). */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#do('send-keys', ...keys);
  }

  /** Types a command line. */
  async enter(line: string): Promise<void> {
    await this.#do('send-keys', '-l', line);
    await this.press('Enter');
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#do('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** What is on the screen, line by line, without blanks at their ends. */
  async lines(): Promise<readonly string[]> {
    const shown = await this.#do('capture-pane', '-p');
    return shown.replace(/\n$/, '').split('\n');
  }

  /** Waits until the screen shows this; gives the screen. */
  async shows(what: string | RegExp): Promise<string> {
    let last = '';
    return eventually(
      async () => {
        last = (await this.lines()).join('\n');
        if (typeof what === 'string' ? last.includes(what) : what.test(last)) return last;
        await sleep(PAUSE_MILLIS);
        return undefined;
      },
      () => `the screen does not show ${String(what)}:\n${last}`,
    );
  }

  /** The modes that a program may leave behind: the other screen, no cursor, no wrap, and those of the line (stty). */
  async modes(): Promise<string> {
    const flags = await this.#do('display-message', '-p', '#{alternate_on} #{cursor_flag} #{wrap_flag} #{pane_tty}');
    const [alternate, cursor, wrap, tty = ''] = flags.trim().split(' ');
    const { stdout } = await run('stty', ['-g', '-F', tty]);
    return [alternate, cursor, wrap, stdout.trim()].join(' ');
  }

  /** The process of the command that the shell runs, or has stopped. */
  async pid(): Promise<number> {
    const shell = Number(await this.#do('display-message', '-p', '#{pane_pid}'));
    const pid = forkedBy(shell);
    if (pid === undefined) throw new Error('no command runs');
    return pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.kill();
    await removeScratch(this.directory);
  }

  /** Never starts a server of its own (-N), which would outlive the test. */
  async #do(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('tmux', ['-N', '-S', join(this.directory, 'tmux'), ...args]);
    return stdout === '' ? '\n' : stdout;
  }
}
