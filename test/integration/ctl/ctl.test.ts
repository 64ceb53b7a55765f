import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { AgentHost, retune } from '../../support/agentHost.js';
import { runCtl } from '../../support/daemon.js';
import { assertGolden } from '../../support/golden.js';
import { schemaErrors } from '../../support/jsonSchema.js';
import { Tmux } from '../../support/tmux.js';
import { VERSION } from '../../support/version.js';

const SCHEMA: unknown = JSON.parse(readFileSync('fixtures/schema/status.schema.json', 'utf8'));

describe('samepagectl with a daemon', { concurrency: true }, () => {
  it('samepagectl status says whether KSM merges, why, and what it saves', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.memoryIsShort();
    host.tree.addGuest(101, 'web', 2_000_000);
    host.tree.setKsm('pages_sharing', 262_144);
    await host.started();
    const { status, stdout, stderr } = await runCtl(['--bus', host.address, 'status']);
    assert.equal(stderr, '');
    assert.equal(status, 0);
    const timeless = stdout.replace(/^( {2}retuned +).*? \(start\); next in [\w ]+$/m, '$1TIME');
    assertGolden('status-of-a-host.txt', timeless.replaceAll(VERSION, 'VERSION'));
  });

  it('samepagectl status --json has everything the bus has', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.memoryIsShort();
    await host.started();
    const { status, stdout } = await runCtl(['status', '--json', '--bus', host.address]);
    assert.equal(status, 0);
    assert.deepEqual(schemaErrors(SCHEMA, JSON.parse(stdout)), []);
    const { lastRetune, nextLookUSec, unknownKsmFiles, ...rest } = JSON.parse(stdout) as Record<string, unknown> & {
      lastRetune: Record<string, unknown>;
    };
    assert.ok(Array.isArray(unknownKsmFiles), 'those of the kernel that this test runs on');
    const untilNext = Number(nextLookUSec) - Number(lastRetune['realtimeUSec']);
    assert.ok(untilNext >= 3600e6 && untilNext < 3605e6, String(untilNext));
    assert.deepEqual(rest, {
      running: true,
      version: VERSION,
      policy: 'ksmtuned',
      configuredPolicy: 'ksmtuned',
      configFile: host.configFile,
      policies: ['ksmtuned', 'adaptive', 'advisor'],
      sharingRatio: 0,
      ksmdCpuPercent: null,
      bookkeepingBytes: 0,
      profitBytes: 0,
      availableBytes: 10_500_000 * 1024,
      guestMemoryBytes: 0,
      run: 1,
      pagesToScan: 300,
      sleepMillisecs: 10,
      savedBytes: 0,
      sharedBytes: 0,
      zeroBytes: 0,
      freedBytes: 0,
      beingFreedBytes: 0,
      guestCount: 0,
      libvirtConnected: false,
      dryRun: false,
      hold: '',
      holdUntilUSec: 0,
    });
    assert.equal(lastRetune['reason'], 'free-below-reserve');
    assert.deepEqual(lastRetune['triggers'], ['start']);
    assert.equal(lastRetune['totalBytes'], 16_777_216 * 1024);
  });

  it('samepagectl retune tells the decision and what was changed', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const daemon = await host.started();
    const same = await runCtl(['--bus', host.address, 'retune']);
    assert.equal(same.status, 0);
    assert.match(same.stdout, /: not merging\nnothing had to be changed\n$/);

    host.memoryIsShort();
    const changed = await runCtl(['--bus', host.address, 'retune']);
    assert.equal(changed.status, 0);
    assert.match(
      changed.stdout,
      /: merging, faster by 300 .*\nuse_zero_pages 0 -> 1, pages_to_scan 100 -> 300, sleep_millisecs 20 -> 10, run 0 -> 1\n$/,
    );
    assert.equal(host.pace, '1 300 10');

    const { status, stdout } = await runCtl(['--bus', host.address, '--json', 'retune']);
    assert.equal(status, 0);
    const reply = JSON.parse(stdout) as Record<string, unknown>;
    assert.equal(reply['reason'], 'free-below-reserve');
    assert.deepEqual(reply['changes'], ['pages_to_scan 300 -> 600']);
    await retune(daemon);
  });

  it('samepagectl retune that fails says why, exit 1, and status says so after it', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const daemon = await host.started();
    host.tree.write('proc/meminfo', 'MemTotal: many kB\n');
    const { status, stdout, stderr } = await runCtl(['--bus', host.address, 'retune']);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^samepagectl: .*proc\/meminfo: MemTotal: expected a whole number, found "many"\n$/);

    host.tree.write('proc/meminfo', 'MemTotal: 0 kB\n');
    daemon.child.kill('SIGUSR1');
    await daemon.line(/MemTotal above 0/);
    const after = await runCtl(['--bus', host.address, 'status']);
    assert.equal(after.status, 0);
    assert.match(after.stdout, /^ {2}the last retune failed: .*proc\/meminfo: expected/m);
  });
});

/** What status says before its reason where this machine runs a samepaged, on whatever bus: it looks for one in /proc. */
const HOSTS_OWN = '(samepaged runs \\(pid \\d+\\), but cannot be asked: )?';

describe('samepagectl without a daemon', { concurrency: true }, () => {
  it('samepagectl status without a daemon ends with 3 and says what the kernel does by itself', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const { status, stdout, stderr } = await runCtl(['--bus', host.address, 'status']);
    assert.equal(status, 3);
    assert.equal(stderr, '');
    assert.match(
      stdout,
      new RegExp(
        `^${HOSTS_OWN}samepaged is not running on ${host.address}\\.\n(The kernel by itself|KSM |This kernel has no KSM)`,
      ),
    );
  });

  it('samepagectl status --json without a daemon is JSON too', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const { status, stdout } = await runCtl(['--bus', host.address, 'status', '--json']);
    assert.equal(status, 3);
    assert.deepEqual(schemaErrors(SCHEMA, JSON.parse(stdout)), []);
    const { running, reason } = JSON.parse(stdout) as Record<string, unknown>;
    assert.equal(running, false);
    assert.match(String(reason), new RegExp(`^${HOSTS_OWN}samepaged is not running on `));
  });

  it('samepagectl retune without a daemon ends with 3', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const { status, stdout, stderr } = await runCtl(['--bus', host.address, 'retune']);
    assert.equal(status, 3);
    assert.equal(stdout, '');
    assert.match(stderr, /^samepagectl: samepaged is not running on /);
  });

  it('samepagectl with a wrong --bus says that it is wrong, exit 3', async () => {
    const address = 'unix:path=/nonexistent/bus';
    const { status, stdout } = await runCtl(['--bus', address, 'status']);
    assert.equal(status, 3);
    assert.ok(stdout.includes(`no D-Bus at ${address}: `), stdout);
    const retuned = await runCtl(['--bus', address, 'retune']);
    assert.equal(retuned.status, 3);
    assert.ok(retuned.stderr.startsWith(`samepagectl: no D-Bus at ${address}: `), retuned.stderr);
  });
});

describe('samepagectl mistyped', { concurrency: true }, () => {
  for (const [words, pattern] of [
    [['statsu'], /^samepagectl: no verb "statsu"; did you mean status\?\n$/],
    [['dance'], /^samepagectl: no verb "dance"; see samepagectl help\n$/],
    [['status', 'now'], /^samepagectl: status takes no "now"\n$/],
    [['status', '--jsonn'], /^samepagectl: no option --jsonn; did you mean --json\?\n$/],
    [['status', '--force'], /^samepagectl: status does not take --force; see samepagectl help status\n$/],
    [['help', 'polcy'], /^samepagectl: no verb "polcy"; did you mean policy\?\n$/],
    [['status', '--bus'], /--bus/],
    [['status', '--bus', '--json'], /^samepagectl: [^\n]*'--bus' argument is ambiguous[^\n]*\n$/],
    [['status', '--bus', 'sesion'], /^samepagectl: --bus takes .*, not "sesion"; did you mean session\?\n$/],
    [['history', '--since='], /^samepagectl: --since is empty; expected --since DURATION\n$/],
    [[], /^samepagectl: which verb\?\nUsage: /],
  ] as const) {
    it(`${['samepagectl', ...words].join(' ')} is refused with exit 64, and what was meant`, async () => {
      const { status, stdout, stderr } = await runCtl(words);
      assert.equal(status, 64);
      assert.equal(stdout, '');
      assert.match(stderr, pattern);
      assert.doesNotMatch(stderr, /^ {4}at /m);
    });
  }

  it('samepagectl --help and --version are no errors', async () => {
    assert.match((await runCtl(['--help'])).stdout, /^Usage: samepagectl [^]* status [^]* retune /);
    assert.equal((await runCtl(['--version'])).stdout, `samepagectl ${VERSION}\n`);
  });
});

it('what samepagectl says on a terminal is broken between words, refusals too', async () => {
  await using tmux = await Tmux.start();
  await tmux.enter('clear; samepagectl --bus nowhere status');
  const screen = await tmux.shows(/"nowhere"$/m);
  const said = screen.split('\n').filter((line) => line !== '' && !line.includes('ready>'));
  assert.equal(said.length, 2, screen);
  const { stderr } = await runCtl(['--bus', 'nowhere', 'status']);
  assert.equal(`${said.join(' ')}\n`, stderr);
});
