import { lstatSync, unlinkSync } from 'node:fs';
import { createConnection } from 'node:net';
import { Observable, defer, from, switchMap } from 'rxjs';
import type { ListenAddress } from '../config/listenAddress.js';
import { errnoOf, messageOf } from '../errors.js';
import { type Pages, metricsServer } from './server.js';

/** Where to serve: an address, or a socket that the service manager opened. */
export type ListenTarget = ListenAddress | { readonly fd: number };

/**
 * Serves until it is unsubscribed from; emits once when it does. Errors, with the cause in words, where it cannot
 * begin. A failed accept(2) is no end: the next client may be served.
 */
export function served(target: ListenTarget, pages: Pages): Observable<void> {
  const cleared$ = defer(() => from('path' in target ? removeDeadSocket(target.path) : Promise.resolve()));
  return cleared$.pipe(
    switchMap(
      () =>
        new Observable<void>((subscriber) => {
          const server = metricsServer(pages);
          server.on('error', (error) => {
            if (!server.listening) subscriber.error(new Error(causeOf(error)));
          });
          // Any user may read them, as on the bus.
          server.listen({ ...target, readableAll: true, writableAll: true }, () => {
            subscriber.next();
          });
          return () => {
            server.close();
            server.closeAllConnections();
          };
        }),
    ),
  );
}

function causeOf(error: unknown): string {
  const errno = errnoOf(error);
  switch (errno) {
    case 'EADDRINUSE':
      return 'something else listens there (EADDRINUSE)';
    case 'EADDRNOTAVAIL':
      return 'this host has no such address (EADDRNOTAVAIL)';
    case 'EACCES':
      // libuv makes EACCES of the ENOENT of a missing directory.
      return 'samepaged may not listen there, or the directory is not there (EACCES); in its service it may below /run/samepaged';
    case 'EAFNOSUPPORT':
    case 'EPERM':
      return `the service has no network (${errno}): enable samepaged-metrics.socket instead`;
    default:
      return errno === undefined ? messageOf(error) : `it cannot be listened there (${errno})`;
  }
}

/** Removes the socket of a server that was killed. What somebody answers at, and what is no socket, stays. */
async function removeDeadSocket(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  const isDead = await new Promise<boolean>((resolve) => {
    const client = createConnection(path, () => {
      client.destroy();
      resolve(false);
    });
    client.on('error', (error) => {
      resolve(errnoOf(error) === 'ECONNREFUSED');
    });
  });
  if (isDead) unlinkSync(path);
}
