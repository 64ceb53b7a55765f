import { existsSync } from 'node:fs';

/** What is wrong with the value of --root, or undefined where it holds a host's files. */
export function rootProblem(directory: string): string | undefined {
  const missing = ['proc', 'sys'].filter((name) => !existsSync(`${directory}/${name}`));
  if (missing.length === 0) return undefined;
  return `--root ${directory} has no ${missing.join(' and no ')}: it must hold a copy of /proc and /sys`;
}
