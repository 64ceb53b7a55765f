import type { Root } from './sysfs.js';

/** Where samepaged keeps what outlives it: the first of STATE_DIRECTORY, in which systemd names them (systemd.exec(5)). */
export function stateDirectory(root: Root): string {
  const [first = ''] = (process.env['STATE_DIRECTORY'] ?? '').split(':');
  return first === '' ? `${root}/var/lib/samepaged` : first;
}
