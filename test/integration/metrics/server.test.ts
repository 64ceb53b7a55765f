import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { metricsServer } from '../../../src/metrics/server.js';
import { eventually } from '../../support/daemon.js';
import { httpGet } from '../../support/metrics.js';

const PAGE = 'samepaged_up 1\n';

/** A server of `page`, on a port of its own. */
async function serving(page: () => Promise<string> = () => Promise.resolve(PAGE)) {
  const server = metricsServer({ metrics: page, notReady: () => undefined, notAlive: () => undefined }).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: promisify(server.getConnections.bind(server)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends `text` and gives what comes until the other side closes, and how long that took. */
async function sent(port: number, text: string): Promise<{ answer: string; millis: number }> {
  const begin = performance.now();
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
  socket.on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  return { answer, millis: performance.now() - begin };
}

describe('the server of metrics', { concurrency: true }, () => {
  it('the server of metrics answers GET /metrics and nothing else', async () => {
    await using server = await serving();
    assert.deepEqual(await httpGet(server), {
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      body: PAGE,
    });
    assert.equal((await httpGet(server, '/metrics?name[]=x')).status, 200);
    for (const path of ['/', '/metrics/', '/../etc/passwd']) assert.equal((await httpGet(server, path)).status, 404);
    const post = 'POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc';
    assert.match((await sent(server.port, post)).answer, /^HTTP\/1.1 405 .*POST: expected GET\n$/s);
  });

  it('the server of metrics says in one line why there is no page', async () => {
    await using server = await serving(() => Promise.reject(new Error('no page')));
    assert.deepEqual(await httpGet(server), { status: 500, type: 'text/plain; charset=utf-8', body: 'no page\n' });
  });

  it('the server of metrics refuses headers of more than 8 KiB, and what is no HTTP', async () => {
    await using server = await serving();
    const huge = `GET /metrics HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`;
    assert.match((await sent(server.port, huge)).answer, /^HTTP\/1.1 431 /);
    assert.match((await sent(server.port, '\0\0\0\r\n\r\n')).answer, /^HTTP\/1.1 400 /);
  });

  it('the server of metrics cuts off who does not end the request within 5 s, while others are served', async () => {
    await using server = await serving();
    const half = sent(server.port, 'GET /metrics HTTP/1.1\r\nHost');
    assert.equal((await httpGet(server)).body, PAGE);
    const { answer, millis } = await half;
    assert.match(answer, /^HTTP\/1.1 408 /);
    assert.ok(millis > 4000, `${millis} ms`);
  });

  it('the server of metrics cuts off who does not read the answer within 15 s', async () => {
    await using server = await serving(() => Promise.resolve('a'.repeat(64 * 1024 ** 2)));
    const socket = connect(server.port, '127.0.0.1').pause();
    socket.on('error', () => undefined);
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(async () => (await server.connections()) === 1);
    await eventually(async () => (await server.connections()) === 0);
    socket.destroy();
  });

  it('the server of metrics drops who comes while 32 are connected, and serves again when they have gone', async () => {
    await using server = await serving();
    const many: Socket[] = [];
    for (let count = 0; count < 32; count += 1) {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => undefined);
      many.push(socket);
      await once(socket, 'connect');
    }
    await assert.rejects(httpGet(server));
    for (const socket of many) socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal((await httpGet(server)).body, PAGE);
  });
});
