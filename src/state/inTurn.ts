import { Overdue, inTime } from '../host/inTime.js';

/** A small file is written in milliseconds; one that takes longer is on a disk that is in trouble. */
const WRITE_MILLIS = 2000;

let last: Promise<unknown> = Promise.resolve();
/** What does not answer. As long as that is so, nothing more is begun: each would keep a thread of libuv's pool. */
let silent: string | undefined;

/**
 * Does the writes of the state directory one after another, in the order in which they were asked for, and waits only so long
 * for each: the disk may hang, and giving the host back does not depend on it. What is overdue may still be done later.
 *
 * @param path what is written.
 * @throws Overdue, and what `write` throws.
 */
export async function inTurn(path: string, write: () => Promise<void>): Promise<void> {
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
}
