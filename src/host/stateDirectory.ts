import type { Root } from './sysfs.js';

/** Where samepaged keeps what outlives it. systemd names it in STATE_DIRECTORY (systemd.exec(5)). */
export function stateDirectory(root: Root): string {
  return process.env['STATE_DIRECTORY'] ?? `${root}/var/lib/samepaged`;
}
