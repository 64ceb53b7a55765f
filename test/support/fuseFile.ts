import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';

/** Why no file can be mounted here, or undefined when one can. */
export const FUSE_OBSTACLE =
  process.getuid?.() === 0 && existsSync('/dev/fuse') ? undefined : 'root and /dev/fuse are needed to mount a file';

/** A file with a program behind it, which can be made to hang: nobody who reads it then gets on. */
export class FuseFile implements Disposable {
  private readonly path: string;
  private readonly server: ChildProcess;

  private constructor(path: string, server: ChildProcess) {
    this.path = path;
    this.server = server;
  }

  /** Mounts a file over the one at the path, with its content. */
  static async over(path: string): Promise<FuseFile> {
    return FuseFile.mount(path, readFileSync(path, 'latin1'));
  }

  private static async mount(path: string, text: string): Promise<FuseFile> {
    const server = spawn('perl', ['test/support/fuseFile.pl', path, text], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(server.stdout, 'data');
    return new FuseFile(path, server);
  }

  /** Mounts a directory over the one at the path: whatever is looked for in it hangs. */
  static async overDirectory(path: string): Promise<FuseFile> {
    return FuseFile.mount(path, '');
  }

  hang(): void {
    this.server.kill('SIGSTOP');
  }

  /** Ends whatever waits for it. */
  [Symbol.dispose](): void {
    this.server.kill('SIGKILL');
    execFileSync('umount', ['-l', this.path]);
  }
}
