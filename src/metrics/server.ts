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

/** A server that answers GET /metrics with `page`, and nothing else. It does not listen yet. */
export function metricsServer(page: () => Promise<string>): Server {
  const server = createServer(
    {
      maxHeaderSize: LARGEST_HEADERS_BYTES,
      headersTimeout: REQUEST_MILLIS,
      requestTimeout: REQUEST_MILLIS,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => void answer(request, response, page),
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
  page: () => Promise<string>,
): Promise<void> {
  const send = (status: number, type: string, body: string) => {
    response.writeHead(status, {
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(body),
      Connection: 'close',
    });
    response.end(body);
  };
  const refuse = (status: number, words: string) => {
    send(status, 'text/plain; charset=utf-8', `${words}\n`);
  };
  if (method !== 'GET' && method !== 'HEAD') refuse(405, `${String(method)}: expected GET`);
  else if (url.split('?', 1)[0] !== '/metrics') refuse(404, 'samepaged: the metrics are at /metrics');
  else {
    try {
      send(200, CONTENT_TYPE, await page());
    } catch (error) {
      refuse(500, messageOf(error));
    }
  }
}
