import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HistorySample } from '../../../src/core/history/record.js';
import { encodeLine } from '../../../src/state/history/lines.js';
import { AgentHost, retune, warnings } from '../../support/agentHost.js';
import { eventually, runCtl } from '../../support/daemon.js';

interface Told {
  readonly source: string;
  readonly notes: readonly string[];
  readonly samples: readonly { readonly time: string; readonly savedBytes: number; readonly run: number }[];
  readonly decisions: readonly { readonly reason: string; readonly changes: readonly string[] }[];
  readonly guestEvents: readonly { readonly guest: string; readonly change: string }[];
}

const historyFile = (host: AgentHost) => join(host.tree.root, 'var/lib/samepaged/history.log');

async function told(host: AgentHost, ...args: readonly string[]): Promise<Told> {
  const { status, stdout, stderr } = await runCtl(['history', '--json', '--bus', host.address, ...args]);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return JSON.parse(stdout) as Told;
}

describe('samepagectl history', { concurrency: true }, () => {
  it('samepagectl history tells what the daemon saw and did, and goes on where it was killed', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.tree.setKsm('pages_sharing', 262_144);
    const first = await host.started();
    host.memoryIsShort();
    await retune(first);
    host.tree.addGuest(101, 'web', 2_000_000);
    const manager = await host.manager();
    await eventually(async () => {
      const { Lines } = await manager.command('GetHistory', 't', [0n]);
      if (String(Lines).includes('web')) return true;
      await sleep(200);
      return false;
    });
    const seen = await told(host);
    assert.equal(seen.source, 'daemon');
    assert.deepEqual(seen.notes, []);
    assert.deepEqual(
      seen.guestEvents.map(({ guest, change }) => [guest, change]),
      [['web', 'started']],
    );
    assert.deepEqual(
      seen.decisions.map(({ reason }) => reason),
      ['enough-memory', 'free-below-reserve'],
    );
    assert.ok(seen.decisions[1]?.changes.includes('run 0 -> 1'));
    assert.equal(seen.samples[0]?.savedBytes, 1024 ** 3);

    await first.end('SIGKILL');
    const written = readFileSync(historyFile(host), 'utf8');
    await host.started();
    const after = await told(host);
    assert.deepEqual(after.guestEvents, seen.guestEvents);
    assert.ok(readFileSync(historyFile(host), 'utf8').startsWith(written), 'what was written is added to');
    assert.deepEqual(after.decisions.slice(0, 2), seen.decisions);
    assert.equal(after.decisions.length, 3, 'every start is a decision');
  });

  it('samepagectl history reads the file when the daemon does not run, and says so', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const daemon = await host.started();
    const before = await told(host);
    assert.equal(await daemon.end(), 0);
    const after = await told(host, '--root', host.tree.root);
    assert.deepEqual(after.samples, before.samples);
    assert.equal(after.source, 'file');
    assert.deepEqual(after.notes, [`samepaged is not running: read from ${historyFile(host)}`]);

    const { status, stdout } = await runCtl(['history', '--bus', host.address, '--root', host.tree.root]);
    assert.equal(status, 0);
    assert.match(stdout, /^TIME +SAVED +FREE +GUESTS USE +GUESTS +KSMD +KSM\n\d\d:\d\d/m);
    assert.match(stdout, /\nsamepaged is not running: read from \S+history\.log\n$/);
  });

  it('samepagectl history of a dry run is asked of the daemon, which writes no file', async () => {
    await using host = await AgentHost.create({ bus: {} });
    await host.started({ args: ['--dry-run'] });
    const { source, samples } = await told(host);
    assert.deepEqual([source, samples.length], ['daemon', 1]);
    assert.equal(existsSync(historyFile(host)), false);
  });

  it('the history without a state directory is in memory, which the daemon says once', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.tree.write('var/lib/samepaged', 'a file where the directory should be\n');
    const daemon = await host.started();
    host.memoryIsShort();
    await retune(daemon);
    assert.equal((await told(host)).decisions.length, 2);
    assert.equal(warnings(daemon).filter((text) => text.includes('history.log')).length, 1, daemon.output);
  });

  it('samepagectl history draws a chart, and prints comma-separated values', async () => {
    await using host = await AgentHost.create({ bus: {} });
    await host.started();
    const file = join(host.tree.root, 'chart.svg');
    const common = ['--bus', host.address, 'history', '--since', '1h'];
    const drawn = await runCtl([...common, '--svg', file]);
    assert.deepEqual([drawn.status, drawn.stdout, drawn.stderr], [0, `${file}: 1 sample drawn\n`, '']);
    assert.match(readFileSync(file, 'utf8'), /^<svg [^]*<\/svg>\n$/);
    const shown = await runCtl([...common, '--svg', '-']);
    assert.match(shown.stdout, /^<svg [^]*<\/svg>\n$/);
    const { stdout } = await runCtl([...common, '--csv']);
    assert.match(stdout, /^time,kind,saved_bytes,.*\n(.*,decision,.*\n.*,sample,.*\n)$/);
    const refused = await runCtl([...common, '--svg', '/nonexistent/chart.svg']);
    assert.deepEqual(
      [refused.status, refused.stderr.includes('/nonexistent/chart.svg cannot be written (ENOENT)')],
      [1, true],
    );
  });

  it('samepagectl history of more than a month is of a month, and says so', async () => {
    await using host = await AgentHost.create();
    const sample: HistorySample = {
      ...{ kind: 'sample', atMillis: Date.now() - 40 * 86_400_000, savedBytes: 1, freeBytes: 1, totalBytes: 9 },
      ...{ freedBytes: 0, committedBytes: 1, guestCount: 1, run: 1, profitBytes: 1, ksmdCpuNanos: 1, pagesScanned: 1 },
    };
    mkdirSync(join(historyFile(host), '..'), { recursive: true });
    writeFileSync(historyFile(host), encodeLine(sample).text);
    const since = async (span: string) => (await runCtl(['history', '--root', host.tree.root, '--since', span])).stdout;
    assert.equal(
      await since('365d'),
      'nothing was recorded in the last 30 d\nsamepaged keeps a month: what is older than 30 d is left out\n',
    );
    assert.equal(await since('30d'), 'nothing was recorded in the last 30 d\n');
  });

  it('samepagectl history leaves out a damaged line, which the daemon tells once, with its line', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const first = await host.started();
    await first.end();
    const text = readFileSync(historyFile(host), 'utf8');
    writeFileSync(historyFile(host), `nonsense\n${text}`);
    const { notes, samples } = await told(host, '--root', host.tree.root);
    assert.equal(samples.length, 1);
    assert.equal(notes[1], `${historyFile(host)}:1: damaged and left out`);
    const second = await host.started();
    assert.ok(warnings(second).includes(`${historyFile(host)}:1: damaged and left out`), second.output);
    await second.end();
    const third = await host.started();
    assert.deepEqual(warnings(third), []);
  });

  it('samepagectl history says what it cannot take, exit 64, and what is not there, exit 1', async () => {
    await using host = await AgentHost.create();
    assert.equal((await runCtl(['history', '--csv', '--json'])).status, 64);
    mkdirSync(join(host.tree.root, 'sys'), { recursive: true });
    const none = await runCtl(['history', '--bus', host.address, '--root', host.tree.root]);
    assert.equal(none.status, 1);
    assert.match(
      none.stderr,
      /^samepagectl: samepaged cannot be reached \(no D-Bus at .*\), and \S+history\.log cannot be read \(ENOENT\)\n$/,
    );
  });
});
