import { homedir } from 'node:os';
import { join } from 'node:path';

const systemCache = process.getuid?.() === 0 ? '/var/cache' : join(homedir(), '.cache');

/** What tests keep between runs outside the repository: the image has device nodes and files of other users in it. */
export const CACHE = join(process.env['XDG_CACHE_HOME'] ?? systemCache, 'samepaged-test');
export const DEBIAN_MIRROR = 'http://deb.debian.org/debian';
