import { Overdue, inTime } from './inTime.js';

/** A small file is read or written in milliseconds; one that takes longer is on a disk that is in trouble. */
const WORK_MILLIS = 2000;

/** Does `work` with the file after the work before it. @throws Overdue, and what `work` throws. */
export type InTurn = (path: string, work: () => Promise<void>) => Promise<void>;

/**
 * Works with files one after another, in the order in which that is asked for. Each is waited for only so long: the disk may hang, and
 * giving the host back does not depend on it. What is overdue may still be done later. Until then nothing more is begun, as each
 * would keep a thread of libuv's pool.
 */
export function diskInTurn(millis = WORK_MILLIS): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  let silent: string | undefined;
  return async (path, work) => {
    if (silent !== undefined) throw new Overdue(`${silent} still does not answer`);
    const done = last.then(work);
    const ended = done.catch(() => undefined);
    last = ended;
    try {
      await inTime(path, millis, () => done);
    } catch (error) {
      if (error instanceof Overdue) {
        silent = path;
        void ended.then(() => (silent = undefined));
      }
      throw error;
    }
  };
}
