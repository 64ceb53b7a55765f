import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Swap space in a file of its own until it is disposed of. Needs root. */
export class SwapFile implements Disposable {
  private readonly path = join('/var/tmp', `samepaged-test-swap-${process.pid}`);
  private readonly giveBack = () => {
    execFileSync('swapoff', [this.path]);
    rmSync(this.path);
  };

  constructor(mebibytes: number) {
    execFileSync('dd', ['if=/dev/zero', `of=${this.path}`, 'bs=1M', `count=${mebibytes}`, 'status=none']);
    execFileSync('chmod', ['600', this.path]);
    execFileSync('mkswap', [this.path], { stdio: 'ignore' });
    execFileSync('swapon', [this.path]);
    process.on('exit', this.giveBack);
  }

  usedBytes(): number {
    const line = readFileSync('/proc/swaps', 'utf8')
      .split('\n')
      .find((text) => text.startsWith(this.path));
    return Number(line?.split(/\s+/)[3]) * 1024;
  }

  [Symbol.dispose](): void {
    process.off('exit', this.giveBack);
    this.giveBack();
  }
}
