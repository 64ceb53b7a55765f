import { Overdue, inTime } from './inTime.js';

/** A small file is written in milliseconds; one that takes longer is on a disk that is in trouble. */
const WRITE_MILLIS = 2000;

/** Does `write` after those before it. @throws Overdue, and what `write` throws. */
export type InTurn = (path: string, write: () => Promise<void>) => Promise<void>;

/**
 * Writes one after another, in the order in which they are asked for. Each is waited for only so long: the disk may hang, and
 * giving the host back does not depend on it. What is overdue may still be done later. Until then nothing more is begun, as each
 * would keep a thread of libuv's pool.
 */
export function writesInTurn(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  let silent: string | undefined;
  return async (path, write) => {
    if (silent !== undefined) throw new Overdue(`${silent} still does not answer`);
    const done = last.then(write);
    const ended = done.catch(() => undefined);
    last = ended;
    try {
      await inTime(path, WRITE_MILLIS, () => done);
    } catch (error) {
      if (error instanceof Overdue) {
        silent = path;
        void ended.then(() => (silent = undefined));
      }
      throw error;
    }
  };
}
