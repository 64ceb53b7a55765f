import { once } from 'node:events';
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export type Place = { readonly port: number } | { readonly socketPath: string };

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: string;
}

/** What a GET is answered. @throws Error where nobody answers. */
export async function httpGet(place: Place, path = '/metrics'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get({ ...place, path, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'], body });
      });
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

/** The value of a series, undefined where the page has none of that name and labels. */
export function valueIn(page: string, series: string): number | undefined {
  const line = page.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
