import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Server, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { EXIT, FatalError, errnoOf, messageOf } from '../errors.js';
import type { Log } from '../log.js';
import { inTurn } from './inTurn.js';
import { makeDirectory } from './makeDirectory.js';

/** A samepaged that is in trouble does not say its pid, and is there all the same. */
const ANSWER_MILLIS = 1000;

/**
 * Makes the state directory this process's own for as long as it lives, however it ends: a socket in it, which the kernel
 * closes. Unlike a name in /proc it is seen from any container and bus.
 *
 * @returns what ends that.
 * @throws FatalError where another samepaged has it.
 */
export async function lockState(directory: string, log: Pick<Log, 'warn'>): Promise<() => Promise<void>> {
  const path = `${directory}/lock`;
  try {
    await makeDirectory(directory);
    const server = (await listening(path)) ?? (await afterTheDead(path));
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.end(String(process.pid));
    });
    server.unref();
    return async () => {
      // Node then removes the socket, by a call that a disk which hangs would never let return.
      await inTurn(path, async () => {
        await stat(directory);
      });
      server.close();
    };
  } catch (error) {
    if (error instanceof FatalError) throw error;
    const why = errnoOf(error) ?? messageOf(error);
    log.warn(`${path} cannot be made (${why}): another samepaged with this state directory would not be seen`);
    return () => Promise.resolve();
  }
}

/** Undefined where there is something at the path. */
async function listening(path: string): Promise<Server | undefined> {
  const server = createServer().listen(path);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (errnoOf(error) === 'EADDRINUSE') return undefined;
    throw error;
  }
}

/** Takes the place of a samepaged that was killed. */
async function afterTheDead(path: string): Promise<Server> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
  } catch (error) {
    // A full queue is a living samepaged's too.
    if (errnoOf(error) === 'EAGAIN') throw taken(path, '');
    rmSync(path, { force: true });
    const server = await listening(path);
    if (server === undefined) throw taken(path, '');
    return server;
  }
  const timer = setTimeout(() => socket.destroy(), ANSWER_MILLIS);
  const pid = await text(socket).catch(() => '');
  clearTimeout(timer);
  throw taken(path, /^\d+$/.test(pid) ? `, pid ${pid},` : '');
}

function taken(path: string, pid: string): FatalError {
  return new FatalError(`samepaged is running${pid} and keeps ${path}: there can be only one`, EXIT.tempFail);
}
