import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Child } from '../../support/child.js';
import { HostTree } from '../../support/hostTree.js';
import { DAEMON } from '../../support/programs.js';

const OBSTACLE =
  process.getuid?.() === 0
    ? existsSync('/sys/kernel/mm/ksm/run')
      ? undefined
      : 'this kernel has no KSM'
    : 'root is needed to mount a /proc';
/** In namespaces of its own, so that no other /proc changes. The shell stays: it is the first process, and root's. */
const HIDDEN = `mount -t proc -o hidepid=2 proc /proc
setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
exit $?`;

describe('a /proc that hides other users’ processes', { skip: OBSTACLE ?? false }, () => {
  it('a /proc that hides other users’ processes is told at the start', async () => {
    using tree = HostTree.create();
    const log = join(tree.root, 'output');
    const daemon = [DAEMON, '--dry-run', '--libvirt', 'none', '--bus', 'unix:path=/nonexistent'];
    const namespaces = ['--mount', '--pid', '--propagation', 'private', '--fork', '--kill-child'];
    const child = Child.start('unshare', [...namespaces, 'sh', '-c', HIDDEN, 'sh', process.execPath, ...daemon], {
      log,
    });
    try {
      await child.until(() => /"level":"warn".*\(hidepid\).*see samepaged\(8\)"/.test(readFileSync(log, 'utf8')));
    } finally {
      await child.kill();
    }
  });
});
