import { Overdue, readInTime } from './inTime.js';
import { type Root, readTextIfThere } from './sysfs.js';

/**
 * The kernel answers at once for its own files, but a program answers for those of a FUSE mount, as LXCFS does for
 * /proc/meminfo in a container, and it may hang. So each such mount is read in time before its files are read as the others.
 *
 * @param below what is going to be read: a directory.
 * @returns what does not answer, in a sentence; undefined where all do.
 */
export async function silentMount(below: string): Promise<string | undefined> {
  const answers = fuseMountsBelow(below).map(async (path) => {
    try {
      await readInTime(path);
    } catch (error) {
      // A directory (EISDIR) and a refusal are answers too.
      if (error instanceof Overdue) return error.message;
    }
    return undefined;
  });
  return (await Promise.all(answers)).find((silent) => silent !== undefined);
}

/** As silentMount, of everything that the kernel is read by. */
export async function silentKernel(root: Root): Promise<string | undefined> {
  return (await silentMount(`${root}/proc`)) ?? (await silentMount(`${root}/sys`));
}

/** Mount points, from mountinfo of proc_pid_mountinfo(5), where a blank is \040. */
function fuseMountsBelow(directory: string): readonly string[] {
  const lines = (readTextIfThere('/proc/self/mountinfo') ?? '').split('\n');
  return lines.flatMap((line) => {
    const [mount = '', source = ''] = line.split(' - ');
    const path = (mount.split(' ')[4] ?? '').replaceAll('\\040', ' ');
    const isBelow = path === directory || path.startsWith(`${directory}/`);
    return isBelow && /^fuse(\.|blk\b| )/.test(source) ? [path] : [];
  });
}
