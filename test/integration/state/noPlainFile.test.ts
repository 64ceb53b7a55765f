import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { AgentHost, ended, retune, warnings } from '../../support/agentHost.js';
import { eventually, runCtl, runDaemon } from '../../support/daemon.js';

const KINDS = {
  'a named pipe': (path: string) => {
    execFileSync('mkfifo', [path]);
  },
  'a device': (path: string) => {
    symlinkSync('/dev/zero', path);
  },
  'a directory': (path: string) => {
    mkdirSync(path);
  },
};

/** Puts that in place of a file. */
function put(host: AgentHost, kind: keyof typeof KINDS, path: string): string {
  const full = join(host.tree.root, path);
  rmSync(full, { force: true });
  mkdirSync(dirname(full), { recursive: true });
  KINDS[kind](full);
  return full;
}

type Kind = keyof typeof KINDS;
const saidOf = (kind: Kind) => new RegExp(`it is ${kind} and no regular file`);

// Each kind is told by the same code (test/unit/plainFile.test.ts); here each file meets one of them at least.
describe('what is no regular file in place of a file', { concurrency: 2 }, () => {
  for (const kind of Object.keys(KINDS) as Kind[]) {
    it(`${kind} as LOGFILE, PIDFILE, history and hold is one line each, and samepaged tunes and gives back`, async () => {
      const said = saidOf(kind);
      await using host = await AgentHost.create({ bus: {} });
      const log = put(host, kind, 'samepaged.log');
      host.configure({ LOGFILE: log, DEBUG: 0 });
      host.memoryIsShort();
      const before = host.ksmFiles();
      put(host, kind, 'var/run/ksmtune.pid');
      put(host, kind, 'var/lib/samepaged/history.log');
      put(host, kind, 'var/lib/samepaged/hold.json');
      const daemon = host.start();
      await host.paceIs('1 300 10');
      assert.equal(await daemon.end(), 0, daemon.output);
      assert.deepEqual(host.ksmFiles(), before);
      for (const file of ['samepaged.log', 'ksmtune.pid', 'history.log', 'hold.json']) {
        assert.equal(warnings(daemon).filter((text) => text.includes(file) && said.test(text)).length >= 1, true, file);
      }
      assert.deepEqual(daemon.other, []);
    });
  }

  for (const [path, kind] of [
    ['etc/ksmtuned.conf', 'a named pipe'],
    ['etc/ksmtuned.conf.d/10.conf', 'a device'],
    ['var/lib/samepaged/ledger.json', 'a directory'],
  ] as const) {
    it(`${kind} as ${path} ends samepaged at its start, with one line`, async () => {
      await using host = await AgentHost.create();
      put(host, kind, path);
      const daemon = host.start();
      assert.equal(await ended(daemon), 78, daemon.output);
      assert.equal(daemon.other.length, 1);
      assert.match(daemon.other[0] ?? '', saidOf(kind));
    });
  }

  it('a drop-in that becomes a named pipe: a reload is refused, and tuning goes on', async () => {
    const kind = 'a named pipe';
    await using host = await AgentHost.create();
    const daemon = await host.started();
    put(host, kind, 'etc/ksmtuned.conf.d/10.conf');
    daemon.child.kill('SIGHUP');
    await eventually(() => daemon.lines.some(({ msg }) => saidOf(kind).test(msg)));
    host.memoryIsShort();
    await retune(daemon);
    assert.equal(host.pace, '1 300 10');
  });

  it('samepagectl history --svg, config check and --replay refuse what is no regular file in one line', async () => {
    await using host = await AgentHost.create();
    host.tree.write('var/lib/samepaged/history.log', '');
    const programs = {
      'a named pipe': (path: string) => runCtl(['--root', host.tree.root, 'history', '--svg', path]),
      'a device': (path: string) => runCtl(['config', 'check', path]),
      'a directory': (path: string) => runDaemon(['--config', host.configFile, '--replay', path]),
    };
    for (const [kind, run] of Object.entries(programs) as [Kind, (typeof programs)[Kind]][]) {
      const { status, stdout, stderr } = await run(put(host, kind, kind.replace('a ', '').replace(' ', '-')));
      assert.notEqual(status, 0);
      assert.match(`${stdout}${stderr}`.replaceAll(/\n +/g, ' '), saidOf(kind));
    }
  });
});

describe('a file that is too large', { concurrency: true }, () => {
  it('a drop-in of 3 MiB is refused with one line', async () => {
    await using host = await AgentHost.create();
    host.tree.write('etc/ksmtuned.conf.d/10.conf', '#\n'.repeat(1.5 * 1024 ** 2));
    const { status, stderr } = await runDaemon(['--config', host.configFile, '--print-config']);
    assert.equal(status, 78);
    assert.match(stderr, /10\.conf: cannot be read \(it is larger than 2 MiB\)\n$/);
  });
});
