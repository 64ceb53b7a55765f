import { existsSync } from 'node:fs';
import type { Root } from '../host/sysfs.js';
import { OPTIONS, UsageError } from './verb.js';

/** What --root names. @throws UsageError where it holds no host's files. */
export function hostRoot(directory: string): Root {
  if (directory === OPTIONS.root.default) return directory;
  const missing = ['proc', 'sys'].filter((name) => !existsSync(`${directory}/${name}`));
  if (missing.length === 0) return directory.replace(/\/+$/, '');
  throw new UsageError(`--root ${directory} has no ${missing.join(' and no ')}: it must hold a copy of /proc and /sys`);
}
