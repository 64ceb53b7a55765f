import { readFileSync } from 'node:fs';

/** The version in package.json. */
export const VERSION = (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;
