import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { silentFiles } from '../host/silentFiles.js';
import { type Config, ConfigError, isDropIn, loadConfig } from './load.js';

/** As loadConfig, and it is an error of the configuration when its disk does not answer. @throws ConfigError */
export async function loadConfigInTime(file: string): Promise<Config> {
  const silent = await silentFiles(file, async () => {
    const dropIns = `${file}.d`;
    const names = await readdir(dropIns).catch(() => []);
    return [file, ...names.filter(isDropIn).map((name) => join(dropIns, name))];
  });
  if (silent !== undefined) throw new ConfigError([silent]);
  return loadConfig(file);
}
