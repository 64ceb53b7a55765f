import { readFileSync } from 'node:fs';

/** Put in by the bundler (deploy/bundle.js): what it makes has no package.json near it. */
declare const BUNDLED_VERSION: string | undefined;

/** Whether this is the bundle that packages install, and not the modules of a checkout. */
export const IS_BUNDLED = typeof BUNDLED_VERSION === 'string';
/** The version in package.json. */
export const VERSION = typeof BUNDLED_VERSION === 'string' ? BUNDLED_VERSION : packageVersion();

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
