import { isIP } from 'node:net';

/** Where a server listens. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export const LISTEN_FORMS = 'ADDRESS:PORT, as 127.0.0.1:9870 or [::1]:9870, or unix:/PATH';

/** struct sockaddr_un takes 108 bytes with the zero at the end (unix(7)). */
const LONGEST_PATH_BYTES = 107;
const HIGHEST_PORT = 65535;

/** Undefined where `text` is of neither form. A name is not taken for an address: it would have to be looked up. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const path = /^unix:(\/.+)$/.exec(text)?.[1];
  if (path !== undefined) return Buffer.byteLength(path) <= LONGEST_PATH_BYTES ? { path } : undefined;
  const [, v6, v4, digits] = /^(?:\[([\da-f:.]+)\]|([\d.]+)):(\d{1,5})$/i.exec(text) ?? [];
  const port = Number(digits);
  if (!(port >= 1 && port <= HIGHEST_PORT)) return undefined;
  if (v6 !== undefined && isIP(v6) === 6) return { host: v6, port };
  return v4 !== undefined && isIP(v4) === 4 ? { host: v4, port } : undefined;
}
