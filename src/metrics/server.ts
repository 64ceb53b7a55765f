import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { messageOf } from '../errors.js';
import { CONTENT_TYPE } from './page.js';

/**
 * A page has some 12 KiB, and 100 KiB with hundreds of guests. Whoever takes longer for a request or for reading the answer is
 * cut off, as is a client beyond the limit; Prometheus itself waits 10 s.
 */
const MOST_CLIENTS = 32;
const REQUEST_MILLIS = 5000;
const ANSWER_MILLIS = 10_000;
const LARGEST_HEADERS_BYTES = 8 * 1024;

/** What is served: for Prometheus, and for who starts and watches a container. */
export interface Pages {
  /** /metrics */
  readonly metrics: () => Promise<string>;
  /** /ready: why samepaged does not tune KSM; undefined where it does. */
  readonly notReady: () => string | undefined;
  /** /live: why samepaged should be started again; undefined where it works. */
  readonly notAlive: () => string | undefined;
}

/** A server that answers GET of these pages, and nothing else. It does not listen yet. */
export function metricsServer(pages: Pages): Server {
  const server = createServer(
    {
      maxHeaderSize: LARGEST_HEADERS_BYTES,
      headersTimeout: REQUEST_MILLIS,
      requestTimeout: REQUEST_MILLIS,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => void answer(request, response, pages),
  );
  server.maxConnections = MOST_CLIENTS;
  server.on('connection', (socket) => {
    const late = setTimeout(() => socket.destroy(), REQUEST_MILLIS + ANSWER_MILLIS);
    socket.once('close', () => {
      clearTimeout(late);
    });
  });
  return server;
}

async function answer(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  { metrics, notReady, notAlive }: Pages,
): Promise<void> {
  const send = (status: number, type: string, body: string) => {
    response.writeHead(status, {
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(body),
      Connection: 'close',
    });
    response.end(body);
  };
  const say = (status: number, words: string) => {
    send(status, 'text/plain; charset=utf-8', `${words}\n`);
  };
  const probe = (obstacle: string | undefined) => {
    say(obstacle === undefined ? 200 : 503, obstacle ?? 'ok');
  };
  if (method !== 'GET' && method !== 'HEAD') {
    say(405, `${String(method)}: expected GET`);
    return;
  }
  switch (url.split('?', 1)[0]) {
    case '/metrics':
      try {
        send(200, CONTENT_TYPE, await metrics());
      } catch (error) {
        say(500, messageOf(error));
      }
      return;
    case '/ready':
      probe(notReady());
      return;
    case '/live':
      probe(notAlive());
      return;
    default:
      say(404, 'samepaged: the metrics are at /metrics');
  }
}
