import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { DBusError } from 'dbus-next';
import { AgentHost, type AgentHostOptions, decisions, reload, warnings } from '../../support/agentHost.js';
import { type CommandResult, eventually, runCtl } from '../../support/daemon.js';
import { ManagerClient } from '../../support/dbus/managerClient.js';
import { destroyTestGuest, startTestGuest } from '../../support/dbus/testDriver.js';

const HOLD_FILE = 'var/lib/samepaged/hold.json';
const BOOT_ID = 'proc/sys/kernel/random/boot_id';

async function shortHost(options: AgentHostOptions = {}): Promise<AgentHost> {
  const host = await AgentHost.create({ bus: {}, ...options });
  host.memoryIsShort();
  host.tree.write(BOOT_ID, 'first-boot\n');
  return host;
}

async function ctl(host: AgentHost, ...words: string[]): Promise<CommandResult> {
  return runCtl(['--bus', host.address, ...words]);
}

/** Calls the daemon without a samepagectl. */
async function say(host: AgentHost, ...call: Parameters<ManagerClient['command']>): Promise<void> {
  await (await host.manager()).command(...call);
}

/** The hold.json of a policy that was set by hand instead of ksmtuned. */
function chosen(name: string): string {
  return `{"policy":{"name":"${name}","insteadOf":"ksmtuned","bootId":"first-boot"}}\n`;
}

/** The policy in force and the one that the configuration names. */
async function policies(host: AgentHost): Promise<unknown[]> {
  const { Policy, ConfiguredPolicy } = await (await host.manager()).properties();
  return [Policy, ConfiguredPolicy];
}

describe('a policy set by hand', { concurrency: true }, () => {
  it('a policy set by hand decides at once, and when guests come and go, until policy default', async () => {
    await using host = await shortHost({ bus: { libvirt: 'test' } });
    const daemon = await host.started({ libvirt: '/org/libvirt/Test' });
    assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);

    const set = await ctl(host, 'policy', 'adaptive');
    assert.equal(set.status, 0, set.stderr);
    assert.match(set.stdout, /^policy adaptive\n/);
    assert.deepEqual(await policies(host), ['adaptive', 'ksmtuned']);
    assert.match((await ctl(host, 'status')).stdout, /^ {2}policy +adaptive, set by hand instead of ksmtuned$/m);

    const bus = await host.bus.connect();
    const manager = await host.manager();
    const retuned = (trigger: string) =>
      eventually(() => manager.retuned.find(({ Triggers }) => (Triggers as string[]).includes(trigger)));
    await startTestGuest(bus, 'late');
    assert.equal((await retuned('guest late started'))['Policy'], 'adaptive');
    await destroyTestGuest(bus, 'late');
    assert.equal((await retuned('guest late stopped'))['Policy'], 'adaptive');
    assert.deepEqual(await policies(host), ['adaptive', 'ksmtuned']);

    const back = await ctl(host, 'policy', 'default');
    assert.match(back.stdout, /^policy ksmtuned\nguests use [^]*\(300 pages every 10 ms\)\n/);
    assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);
    assert.equal(existsSync(host.holdFile), false);
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });

  it('a policy set by hand lasts through SIGKILL and SIGTERM, beside a hold, which ends by itself', async () => {
    await using host = await shortHost();
    const first = await host.started();
    await say(host, 'SetPolicy', 's', ['adaptive']);
    await say(host, 'Stop');
    await first.end('SIGKILL');

    const second = await host.started();
    assert.deepEqual(await policies(host), ['adaptive', 'ksmtuned']);
    assert.equal(decisions(second)[0]?.['reason'], 'stopped');
    await say(host, 'Resume');
    assert.deepEqual(await policies(host), ['adaptive', 'ksmtuned']);
    await second.end('SIGTERM');

    const third = await host.started();
    assert.deepEqual(await policies(host), ['adaptive', 'ksmtuned']);
    await third.line(/^policy adaptive, set by hand instead of ksmtuned$/);
    assert.deepEqual(warnings(third), []);
    await say(host, 'SetPolicy', 's', ['default']);
    await third.end('SIGKILL');
    await host.started();
    assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);
  });

  it('a policy set by hand ends with the boot', async () => {
    await using host = await shortHost();
    host.tree.write(HOLD_FILE, chosen('adaptive'));
    host.tree.write(BOOT_ID, 'second-boot\n');
    const daemon = await host.started();
    await daemon.line(/^the policy adaptive that was set by hand ends: the host was booted since$/);
    assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);
    assert.equal(existsSync(host.holdFile), false, 'and for good');
  });

  it('a policy set by hand ends when the configuration names another policy and is reloaded, and not before', async () => {
    await using host = await shortHost();
    const daemon = await host.started();
    await say(host, 'SetPolicy', 's', ['advisor']);
    host.configure({ KSM_NPAGES_MAX: 777 });
    await reload(daemon);
    assert.deepEqual(await policies(host), ['advisor', 'ksmtuned'], 'another key is another matter');
    host.configure({ KSM_POLICY: 'adaptive' });
    assert.deepEqual(await policies(host), ['advisor', 'ksmtuned']);
    await say(host, 'Reload');
    assert.deepEqual(await policies(host), ['adaptive', 'adaptive']);
    await daemon.line(/policy advisor that was set by hand ends: KSM_POLICY is now adaptive in the configuration/);
    assert.equal(existsSync(host.holdFile), false);
  });

  it('a policy set by hand ends when the configuration names another policy at the next start, and stays ended', async () => {
    await using host = await shortHost();
    host.tree.write(HOLD_FILE, chosen('advisor'));
    host.configure({ KSM_POLICY: 'adaptive' });
    const first = await host.started();
    assert.deepEqual(await policies(host), ['adaptive', 'adaptive']);
    await first.end();
    host.configure({ KSM_POLICY: 'ksmtuned' });
    await host.started();
    assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);
  });

  it('a policy set by hand is kept beside a hold, but not when the configuration names it anyway', async () => {
    await using host = await shortHost();
    await host.started();
    const kept = () => JSON.parse(readFileSync(host.holdFile, 'utf8')) as unknown;
    await say(host, 'SetPolicy', 's', ['adaptive']);
    await say(host, 'Pause', 't', [0n]);
    const policy = { name: 'adaptive', insteadOf: 'ksmtuned', bootId: 'first-boot' };
    assert.deepEqual(kept(), { kind: 'paused', policy });
    await say(host, 'Resume');
    assert.deepEqual(kept(), { policy });
    assert.equal((await ctl(host, 'policy', 'ksmtuned')).status, 0);
    assert.equal(existsSync(host.holdFile), false);
  });

  it('a policy set by hand in a dry run decides, and is not kept', async () => {
    await using host = await shortHost();
    await host.started({ args: ['--dry-run'] });
    await say(host, 'SetPolicy', 's', ['adaptive']);
    assert.deepEqual(await policies(host), ['adaptive', 'ksmtuned']);
    assert.equal(existsSync(host.holdFile), false);
  });

  it('a policy set by hand is in force, with a warning, where the state directory cannot be written', async () => {
    await using host = await shortHost();
    host.tree.write('var/lib/samepaged', 'a file, no directory');
    const daemon = await host.started();
    await say(host, 'SetPolicy', 's', ['adaptive']);
    assert.deepEqual(await policies(host), ['adaptive', 'ksmtuned']);
    await daemon.line(/hold\.json cannot be written \(.+\): after a restart this policy is lost$/);
  });
});

describe('a policy that cannot be set', { concurrency: true }, () => {
  it('a policy that cannot be set says what was meant or what it needs, exit 1, and changes nothing', async () => {
    await using host = await shortHost({ host: 'kernel-5.10' });
    await host.started();
    const mistyped = await ctl(host, 'policy', 'adptive');
    assert.deepEqual(mistyped, {
      status: 1,
      stdout: '',
      stderr: 'samepagectl: no policy "adptive"; did you mean adaptive?\n',
    });
    const unknown = await ctl(host, 'policy', 'x'.repeat(1000));
    assert.equal(unknown.status, 1);
    assert.match(unknown.stderr, /^samepagectl: no policy "x{60}"; there are ksmtuned, adaptive, advisor, default\n$/);
    const missing = await ctl(host, 'policy', 'advisor');
    assert.equal(missing.status, 1);
    assert.match(missing.stderr, /^samepagectl: policy advisor: it needs the kernel's own advisor/);
    await assert.rejects(say(host, 'SetPolicy', 's', ['']), (error: DBusError) => {
      assert.equal(error.type, 'org.freedesktop.DBus.Error.InvalidArgs');
      return true;
    });
    assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);
    assert.equal(existsSync(host.holdFile), false);
  });
});

describe('a hold.json with a policy', { concurrency: true }, () => {
  it('a policy in hold.json that this samepaged does not have is ignored with one warning', async () => {
    await using host = await shortHost();
    host.tree.write(HOLD_FILE, chosen('clairvoyant'));
    const daemon = await host.started();
    await daemon.line(/^the policy clairvoyant that was set by hand ends: this samepaged has no such policy$/);
    assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);
  });

  it('a hold.json with a policy that no samepaged wrote is one warning and nothing is in force', async () => {
    await using host = await shortHost();
    host.tree.write(HOLD_FILE, '{"policy":{}}');
    const daemon = await host.started();
    assert.equal(warnings(daemon).length, 1, daemon.output);
    assert.match(warnings(daemon)[0] ?? '', /hold\.json cannot be read/);
    assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);
  });
});
