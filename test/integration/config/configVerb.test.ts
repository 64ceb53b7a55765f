import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KEYS } from '../../../src/config/keys.js';
import { loadConfig } from '../../../src/config/load.js';
import { AgentHost, type AgentHostOptions } from '../../support/agentHost.js';
import { type CommandResult, runCtl } from '../../support/daemon.js';
import { HostTree } from '../../support/hostTree.js';

async function ctl(host: AgentHost, ...words: string[]): Promise<CommandResult> {
  return runCtl(['--bus', host.address, ...words]);
}

async function runningHost(options: AgentHostOptions = {}): Promise<AgentHost> {
  const host = await AgentHost.create({ bus: {}, ...options });
  await host.started();
  return host;
}

describe('samepagectl config', { concurrency: true }, () => {
  it('shows what is not as by default, with its origin and what it does', async () => {
    await using host = await runningHost({ config: { KSM_THRES_COEF: 25 } });
    const { status, stdout } = await ctl(host, 'config');
    assert.equal(status, 0);
    const others = Object.keys(KEYS).length - 3;
    assert.equal(
      stdout.replaceAll(host.configFile, 'FILE'),
      `# in force in samepaged:

# seconds between retunes when nothing happens
KSM_MONITOR_INTERVAL=3600  # FILE:1

# the reserve: memory that should stay free, in percent of all memory
KSM_THRES_COEF=25  # FILE:3

# whether every decision is logged, with the calls that ksmtuned would make
DEBUG=1  # FILE:2

# ${others} keys at the default: samepagectl config --all shows them
`,
    );
  });

  it('--all is a file that says the same, for whoever reads it', async () => {
    await using host = await runningHost({ config: { KSM_FORBID_GUESTS: "'it'\\''s, db*'", KSM_EVENT_RECHECK: "''" } });
    const { stdout } = await ctl(host, 'config', '--all');
    using copy = HostTree.create('no-ksm');
    copy.write('etc/copy.conf', stdout);
    assert.deepEqual(loadConfig(`${copy.root}/etc/copy.conf`).values, loadConfig(host.configFile).values);
    assert.equal(loadConfig(host.configFile).values.KSM_FORBID_GUESTS, "it's, db*");
  });

  it('says what the files say by now, until a reload takes it', async () => {
    await using host = await runningHost();
    host.configure({ KSM_NPAGES_MAX: 99, KSM_NPAGE_MIN: 1 });
    const edited = (await ctl(host, 'config')).stdout;
    assert.match(edited, /^# changed in the files since, samepagectl reload takes it: KSM_NPAGES_MAX$/m);
    assert.match(edited, /^# .*ksmtuned\.conf:4: unknown key KSM_NPAGE_MIN/m);
    assert.doesNotMatch(edited, /^KSM_NPAGES_MAX/m);
    assert.equal((await ctl(host, 'reload')).status, 0);
    const taken = (await ctl(host, 'config')).stdout;
    assert.match(taken, /^KSM_NPAGES_MAX=99 {2}# /m);
    assert.doesNotMatch(taken, /changed in the files/);

    host.configure({ KSM_NPAGES_MAX: 'lots' });
    assert.match((await ctl(host, 'config')).stdout, /^# .*ksmtuned\.conf:3: KSM_NPAGES_MAX=lots: expected/m);
  });

  it('says that a policy was set by hand', async () => {
    await using host = await runningHost();
    await ctl(host, 'policy', 'adaptive');
    const { stdout } = await ctl(host, 'config');
    assert.match(stdout, /^KSM_POLICY=adaptive {2}# set by hand instead of ksmtuned \(default\)$/m);
  });

  it('--json has the same', async () => {
    await using host = await runningHost({ config: { KSM_THRES_COEF: 25 } });
    const changed = JSON.parse((await ctl(host, 'config', '--json')).stdout) as Record<string, unknown>;
    assert.deepEqual(changed['entries'], [
      { key: 'KSM_MONITOR_INTERVAL', value: '3600', origin: `${host.configFile}:1` },
      { key: 'KSM_THRES_COEF', value: '25', origin: `${host.configFile}:3` },
      { key: 'DEBUG', value: '1', origin: `${host.configFile}:2` },
    ]);
    assert.deepEqual([changed['waiting'], changed['problems']], [[], []]);
    const all = JSON.parse((await ctl(host, 'config', '--all', '--json')).stdout) as { entries: { key: string }[] };
    assert.deepEqual(
      all.entries.map(({ key }) => key),
      Object.keys(KEYS),
    );
  });

  it('without a daemon shows what it would start with', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const { status, stdout } = await ctl(host, 'config');
    assert.equal(status, 0);
    assert.match(stdout, /^# samepaged is not running on unix:path=.*; it would start with:\n/);
  });
});

describe('samepagectl config check', { concurrency: true }, () => {
  const rows: { name: string; text: string; status: number; output: string }[] = [
    {
      name: 'a good file',
      text: 'KSM_NPAGES_MAX=300\nDEBUG=1\n',
      status: 0,
      output: 'FILE can be used: 2 keys set\n',
    },
    { name: 'an empty file', text: '', status: 0, output: 'FILE can be used: 0 keys set\n' },
    {
      name: 'a file with a warning',
      text: 'KSM_NPAGE_MAX=300\n',
      status: 0,
      output:
        'FILE:1: unknown key KSM_NPAGE_MAX; did you mean KSM_NPAGES_MAX? (ignored)\nFILE can be used: 0 keys set, 1 warning\n',
    },
    {
      name: 'a bad file',
      text: 'KSM_WHEN=never\n\nKSM_THRES_COEF=`id`\n',
      status: 78,
      output:
        'FILE:1: KSM_WHEN=never: expected one of needed, always\n' +
        'FILE:3: "`id`" needs a shell; this file is read, not run: write the plain value\nFILE cannot be used\n',
    },
  ];
  for (const { name, text, status, output } of rows) {
    it(name, async () => {
      using tree = HostTree.create('no-ksm');
      tree.write('a.conf', text);
      const file = `${tree.root}/a.conf`;
      const told = await runCtl(['config', 'check', file]);
      assert.equal(told.stderr, '');
      assert.deepEqual([told.status, told.stdout.replaceAll(file, 'FILE')], [status, output]);
      const { status: jsonStatus, stdout } = await runCtl(['config', 'check', '--json', file]);
      assert.equal(jsonStatus, status);
      assert.deepEqual(JSON.parse(stdout.replaceAll(file, 'FILE')), {
        file: 'FILE',
        usable: status === 0,
        problems: output.trimEnd().split('\n').slice(0, -1),
      });
    });
  }

  it('reads drop-ins too', async () => {
    using tree = HostTree.create('no-ksm');
    tree.write('a.conf', '');
    tree.write('a.conf.d/50-x.conf', 'KSM_WHEN=never\n');
    const { status, stdout } = await runCtl(['config', 'check', `${tree.root}/a.conf`]);
    assert.equal(status, 78);
    assert.match(stdout, /a\.conf\.d\/50-x\.conf:1: KSM_WHEN=never/);
  });

  it('a file that is not there, and one that is none', async () => {
    const missing = await runCtl(['config', 'check', '/nonexistent/a.conf']);
    assert.deepEqual(
      [missing.status, missing.stdout],
      [78, '/nonexistent/a.conf: there is no such file\n/nonexistent/a.conf cannot be used\n'],
    );
    const directory = await runCtl(['config', 'check', '/etc']);
    assert.equal(directory.status, 78);
    assert.match(directory.stdout, /^\/etc: cannot be read \(it is a directory and no regular file\)/);
  });

  it('takes no --all', async () => {
    const { status, stderr } = await runCtl(['config', 'check', '--all', '/etc/ksmtuned.conf']);
    assert.equal(status, 64);
    assert.match(stderr, /config check does not take --all/);
  });
});
