import { nearest } from './nearest.js';
import { messageOf } from '../errors.js';

/** What parseArgs of node:util did not take, on one line; of an unknown option the nearest of `names`, or `otherwise`. */
export function optionProblem(error: unknown, names: readonly string[], otherwise: string): string {
  const words = messageOf(error).replaceAll('\n', ' ');
  const [, dashes = '', name] = /Unknown option '(--?)([\w-]+)'/.exec(words) ?? [];
  if (name === undefined) return words;
  const near = nearest(name, names);
  return `no option ${dashes}${name}; ${near === undefined ? otherwise : `did you mean --${near}?`}`;
}
