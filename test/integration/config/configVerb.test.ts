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
  it('samepagectl config shows what is not as by default, with origin and meaning, and --json has the same', async () => {
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

  it('samepagectl config --all prints a file that says the same', async () => {
    await using host = await runningHost({ config: { KSM_FORBID_GUESTS: "'it'\\''s, db*'", KSM_EVENT_RECHECK: "''" } });
    const { stdout } = await ctl(host, 'config', '--all');
    using copy = HostTree.create('no-ksm');
    copy.write('etc/copy.conf', stdout);
    assert.deepEqual(loadConfig(`${copy.root}/etc/copy.conf`).values, loadConfig(host.configFile).values);
    assert.equal(loadConfig(host.configFile).values.KSM_FORBID_GUESTS, "it's, db*");
  });

  it('samepagectl config says what the files say by now, and that a policy was set by hand', async () => {
    await using host = await runningHost();
    host.configure({ KSM_NPAGES_MAX: 99, KSM_NPAGE_MIN: 1 });
    const edited = (await ctl(host, 'config')).stdout;
    assert.match(edited, /^# changed in the files since, samepagectl reload takes it: KSM_NPAGES_MAX$/m);
    assert.match(edited, /^# .*ksmtuned\.conf:4: unknown key KSM_NPAGE_MIN/m);
    assert.doesNotMatch(edited, /^KSM_NPAGES_MAX/m);
    const manager = await host.manager();
    await manager.command('Reload');
    await manager.command('SetPolicy', 's', ['adaptive']);
    const taken = (await ctl(host, 'config')).stdout;
    assert.match(taken, /^KSM_NPAGES_MAX=99 {2}# /m);
    assert.doesNotMatch(taken, /changed in the files/);
    assert.match(taken, /^KSM_POLICY=adaptive {2}# set by hand instead of ksmtuned \(default\)$/m);

    host.configure({ KSM_NPAGES_MAX: 'lots' });
    assert.match((await ctl(host, 'config')).stdout, /^# .*ksmtuned\.conf:3: KSM_NPAGES_MAX=lots: expected/m);
  });

  it('samepagectl config without a daemon shows what it would start with', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const { status, stdout } = await ctl(host, 'config');
    assert.equal(status, 0);
    assert.match(stdout, /^# samepaged is not running on unix:path=.*; it would start with:\n/);
  });
});

describe('samepagectl config check', { concurrency: true }, () => {
  it('samepagectl config check of a bad file says each error, exit 78, and --json has the same', async () => {
    using tree = HostTree.create('no-ksm');
    tree.write('a.conf', 'KSM_WHEN=never\n\nKSM_THRES_COEF=`id`\n');
    const file = `${tree.root}/a.conf`;
    const output =
      'FILE:1: KSM_WHEN=never: expected one of needed, always\n' +
      'FILE:3: "`id`" needs a shell; this file is read, not run: write the plain value\nFILE cannot be used\n';
    const told = await runCtl(['config', 'check', file]);
    assert.deepEqual([told.status, told.stderr, told.stdout.replaceAll(file, 'FILE')], [78, '', output]);
    const json = await runCtl(['config', 'check', '--json', file]);
    assert.equal(json.status, 78);
    assert.deepEqual(JSON.parse(json.stdout.replaceAll(file, 'FILE')), {
      file: 'FILE',
      usable: false,
      problems: output.trimEnd().split('\n').slice(0, -1),
    });
  });

  it('samepagectl config check of a good file says how many keys it sets, and what is passed over, exit 0', async () => {
    using tree = HostTree.create('no-ksm');
    tree.write('a.conf', 'KSM_NPAGE_MAX=300\n');
    const file = `${tree.root}/a.conf`;
    const { status, stdout, stderr } = await runCtl(['config', 'check', file]);
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal(
      stdout.replaceAll(file, 'FILE'),
      'FILE:1: unknown key KSM_NPAGE_MAX; did you mean KSM_NPAGES_MAX? (ignored)\n' +
        'FILE can be used: 0 keys set, 1 warning\n',
    );
  });

  it('samepagectl config check takes no --all', async () => {
    const { status, stderr } = await runCtl(['config', 'check', '--all', '/etc/ksmtuned.conf']);
    assert.equal(status, 64);
    assert.match(stderr, /config check does not take --all/);
  });
});
