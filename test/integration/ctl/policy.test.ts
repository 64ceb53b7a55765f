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

/** The policy in force and the one that the configuration names. */
async function policies(host: AgentHost): Promise<unknown[]> {
  const { Policy, ConfiguredPolicy } = await (await ManagerClient.on(await host.bus.connect())).properties();
  return [Policy, ConfiguredPolicy];
}

describe('a policy set by hand', { concurrency: true }, () => {
  it('decides at once, and so on when guests come and go, until policy default', async () => {
    await using host = await shortHost({ bus: { libvirt: 'test' } });
    const daemon = await host.started({ libvirt: '/org/libvirt/Test' });
    assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);

    const set = await ctl(host, 'policy', 'adaptive');
    assert.equal(set.status, 0, set.stderr);
    assert.match(set.stdout, /^policy adaptive\n/);
    assert.deepEqual(await policies(host), ['adaptive', 'ksmtuned']);
    assert.match((await ctl(host, 'status')).stdout, /^ {2}policy +adaptive, set by hand instead of ksmtuned$/m);

    const bus = await host.bus.connect();
    const manager = await ManagerClient.on(await host.bus.connect());
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

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`lasts through ${signal}, beside a hold, which ends by itself`, async () => {
      await using host = await shortHost();
      const first = await host.started();
      await ctl(host, 'policy', 'adaptive');
      await ctl(host, 'stop');
      await first.end(signal);

      const second = await host.started();
      assert.deepEqual(await policies(host), ['adaptive', 'ksmtuned']);
      assert.equal(decisions(second)[0]?.['reason'], 'stopped');
      assert.equal((await ctl(host, 'resume')).status, 0);
      assert.deepEqual(await policies(host), ['adaptive', 'ksmtuned']);
      await second.end(signal);

      const third = await host.started();
      assert.deepEqual(await policies(host), ['adaptive', 'ksmtuned']);
      await third.line(/^policy adaptive, set by hand instead of ksmtuned$/);
      assert.deepEqual(
        warnings(third).filter((text) => !text.startsWith('the last samepaged ended')),
        [],
      );
      await ctl(host, 'policy', 'default');
      await third.end(signal);
      await host.started();
      assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);
    });
  }

  it('ends with the boot', async () => {
    await using host = await shortHost();
    const first = await host.started();
    await ctl(host, 'policy', 'adaptive');
    await first.end();
    host.tree.write(BOOT_ID, 'second-boot\n');
    const second = await host.started();
    await second.line(/^the policy adaptive that was set by hand ends: the host was booted since$/);
    assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);
    assert.equal(existsSync(host.holdFile), false, 'and for good');
  });

  it('ends when the configuration names another policy and is reloaded, and not before', async () => {
    await using host = await shortHost();
    const daemon = await host.started();
    await ctl(host, 'policy', 'advisor');
    host.configure({ KSM_NPAGES_MAX: 777 });
    await reload(daemon);
    assert.deepEqual(await policies(host), ['advisor', 'ksmtuned'], 'another key is another matter');
    host.configure({ KSM_POLICY: 'adaptive' });
    assert.deepEqual(await policies(host), ['advisor', 'ksmtuned']);
    assert.equal((await ctl(host, 'reload')).status, 0);
    assert.deepEqual(await policies(host), ['adaptive', 'adaptive']);
    await daemon.line(/policy advisor that was set by hand ends: KSM_POLICY is now adaptive in the configuration/);
    assert.equal(existsSync(host.holdFile), false);
  });

  it('ends when the configuration names another policy at the next start, and stays ended', async () => {
    await using host = await shortHost();
    const first = await host.started();
    await ctl(host, 'policy', 'advisor');
    await first.end();
    host.configure({ KSM_POLICY: 'adaptive' });
    const second = await host.started();
    assert.deepEqual(await policies(host), ['adaptive', 'adaptive']);
    await second.end();
    host.configure({ KSM_POLICY: 'ksmtuned' });
    await host.started();
    assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);
  });

  it('a policy that the configuration names anyway is not kept as set by hand', async () => {
    await using host = await shortHost();
    await host.started();
    await ctl(host, 'policy', 'adaptive');
    assert.equal(existsSync(host.holdFile), true);
    assert.equal((await ctl(host, 'policy', 'ksmtuned')).status, 0);
    assert.equal(existsSync(host.holdFile), false);
  });

  it('in a dry run decides, and is not kept', async () => {
    await using host = await shortHost();
    await host.started({ args: ['--dry-run'] });
    await ctl(host, 'policy', 'adaptive');
    assert.deepEqual(await policies(host), ['adaptive', 'ksmtuned']);
    assert.equal(existsSync(host.holdFile), false);
  });

  it('where the state directory cannot be written is in force all the same, with a warning', async () => {
    await using host = await shortHost();
    host.tree.write('var/lib/samepaged', 'a file, no directory');
    const daemon = await host.started();
    assert.equal((await ctl(host, 'policy', 'adaptive')).status, 0);
    assert.deepEqual(await policies(host), ['adaptive', 'ksmtuned']);
    await daemon.line(/hold\.json cannot be written \(.+\): after a restart this policy is lost$/);
  });
});

describe('a policy that cannot be set', { concurrency: true }, () => {
  it('says what was meant, exit 1, and changes nothing', async () => {
    await using host = await shortHost();
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
    const manager = await ManagerClient.on(await host.bus.connect());
    await assert.rejects(manager.command('SetPolicy', 's', ['']), (error: DBusError) => {
      assert.equal(error.type, 'org.freedesktop.DBus.Error.InvalidArgs');
      return true;
    });
    assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);
    assert.equal(existsSync(host.holdFile), false);
  });

  it('for want of an advisor in the kernel says so', async () => {
    await using host = await shortHost({ host: 'kernel-5.10' });
    await host.started();
    const { status, stderr } = await ctl(host, 'policy', 'advisor');
    assert.equal(status, 1);
    assert.match(stderr, /^samepagectl: policy advisor: it needs the kernel's own advisor/);
    assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);
  });
});

describe('a hold.json with a policy', { concurrency: true }, () => {
  const chosen = (name: string): string =>
    `{"policy":{"name":"${name}","insteadOf":"ksmtuned","bootId":"first-boot"}}\n`;

  it('a policy in hold.json that this samepaged does not have is ignored with one warning', async () => {
    await using host = await shortHost();
    host.tree.write(HOLD_FILE, chosen('clairvoyant'));
    const daemon = await host.started();
    await daemon.line(/^the policy clairvoyant that was set by hand ends: this samepaged has no such policy$/);
    assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);
  });

  for (const text of ['{"policy":{}}', '{"policy":"adaptive"}', '{"policy":null}', '{"kind":"x","policy":{}}']) {
    it(`${text} is one warning and nothing is in force`, async () => {
      await using host = await shortHost();
      host.tree.write(HOLD_FILE, text);
      const daemon = await host.started();
      assert.equal(warnings(daemon).length, 1, daemon.output);
      assert.match(warnings(daemon)[0] ?? '', /hold\.json cannot be read/);
      assert.deepEqual(await policies(host), ['ksmtuned', 'ksmtuned']);
    });
  }

  it('says what was said', async () => {
    await using host = await shortHost();
    await host.started();
    await ctl(host, 'policy', 'adaptive');
    await ctl(host, 'pause');
    assert.deepEqual(JSON.parse(readFileSync(host.holdFile, 'utf8')), {
      kind: 'paused',
      policy: { name: 'adaptive', insteadOf: 'ksmtuned', bootId: 'first-boot' },
    });
  });
});
