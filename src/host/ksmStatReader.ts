import { Socket } from 'node:net';
import { Overdue } from './inTime.js';

const ANSWER_MILLIS = 2000;

/**
 * The client of the reader in deploy/systemd/service.sh: a process with CAP_DAC_READ_SEARCH that reads ksm_stat and
 * ksm_merging_pages of any process and nothing else, so that samepaged itself has no such capability. A question is a line,
 * "1234 ksm_stat"; the answer is what the file holds and a line with a dot.
 *
 * INVARIANTS: one question at a time. While an answer is overdue there is no other question.
 */
export class KsmStatReader {
  private readonly asked: Socket;
  private text = '';
  private take: (text: string) => void = () => undefined;
  private isLate = false;
  private last: Promise<unknown> = Promise.resolve();

  /** @param ask the descriptor to write questions to, @param answer the one to read answers from; both are pipes. */
  constructor(ask: number, answer: number) {
    this.asked = new Socket({ fd: ask, readable: false, writable: true });
    const answered = new Socket({ fd: answer, readable: true, writable: false });
    // A reader that has ended answers nothing: each question is overdue.
    for (const socket of [this.asked, answered]) socket.on('error', () => undefined).unref();
    answered.setEncoding('latin1').on('data', (text: string) => {
      this.add(text);
    });
  }

  /** What a file of a process holds; empty where there is no such file. @throws Overdue */
  async read(pid: number, file: 'ksm_stat' | 'ksm_merging_pages'): Promise<string> {
    const answer = this.last.then(() => this.ask(`${pid} ${file}`));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  private async ask(question: string): Promise<string> {
    if (this.isLate) throw new Overdue('the reader of ksm_stat still does not answer');
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.isLate = true;
        reject(new Overdue(`${question} does not answer within ${ANSWER_MILLIS / 1000} s`));
      }, ANSWER_MILLIS);
      this.take = (text) => {
        clearTimeout(late);
        this.isLate = false;
        resolve(text);
      };
      this.asked.write(`${question}\n`);
    });
  }

  private add(text: string): void {
    this.text += text;
    const [, answer] = /^((?:.*\n)*?)\.\n$/.exec(this.text) ?? [];
    if (answer === undefined) return;
    this.text = '';
    this.take(answer);
  }
}

/** The one that the service has started for this process; undefined without it, as when samepaged is started by hand. */
export function ksmStatReader({ SAMEPAGED_KSM_STAT = '' }: NodeJS.ProcessEnv): KsmStatReader | undefined {
  const [, ask, answer] = /^(\d{1,3}) (\d{1,3})$/.exec(SAMEPAGED_KSM_STAT) ?? [];
  return ask === undefined || answer === undefined ? undefined : new KsmStatReader(Number(ask), Number(answer));
}
