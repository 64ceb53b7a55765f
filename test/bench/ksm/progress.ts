import { stderr } from 'node:process';

/** Tells a waiting person what goes on: one line that changes on a terminal, elsewhere a line for each stage of the work. */
export class Progress {
  readonly #isTerminal = stderr.isTTY;
  #count = '';
  #stage = '';

  /** What is told from now on belongs to this trial of so many. */
  count(trial: number, trials: number): void {
    this.#count = `[${trial}/${trials}] `;
  }

  /** A new stage of the work begins. */
  stage(text: string): void {
    this.#stage = this.#count + text;
    if (this.#isTerminal) this.detail('');
    else stderr.write(`${this.#stage}\n`);
  }

  /** How far the stage has come; too much for anything but a terminal. */
  detail(text: string): void {
    if (!this.#isTerminal) return;
    const line = text === '' ? this.#stage : `${this.#stage}: ${text}`;
    stderr.write(`\r\x1b[K${line.slice(0, Math.max((stderr.columns || 80) - 1, 1))}`);
  }

  /** Makes room for what is printed next. */
  clear(): void {
    if (this.#isTerminal) stderr.write('\r\x1b[K');
  }
}
