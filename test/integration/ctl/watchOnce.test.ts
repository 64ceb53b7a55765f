import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runCtl } from '../../support/daemon.js';
import { LIBVIRT, shortHost, watchWords } from '../../support/watching.js';

describe('samepagectl watch --once', { concurrency: 2 }, () => {
  it('samepagectl watch --once prints a frame of 80x24, and its exit status says whether samepaged runs', async () => {
    await using host = await shortHost();
    const daemon = await host.started({ libvirt: LIBVIRT });
    const running = await runCtl(['watch', '--once', ...watchWords(host)]);
    assert.deepEqual([running.status, running.stderr], [0, '']);
    const lines = running.stdout.trimEnd().split('\n');
    assert.ok(lines.length <= 24 && lines.every((line) => line.length <= 80), running.stdout);
    assert.match(running.stdout, /^KSM is merging . ksmtuned .*\n.*\n.*faster by 300[^]*\n1 GUEST /);
    await daemon.end();
    const away = await runCtl(['watch', '--once', ...watchWords(host)]);
    assert.equal(away.status, 3);
    assert.match(away.stdout, /^KSM is not merging .*\nsamepaged is not running: waiting for it/);
  });

  it('samepagectl watch --once is what there is without a terminal, and a root needs a bus', async () => {
    await using host = await shortHost();
    const live = await runCtl(['watch', ...watchWords(host)]);
    assert.deepEqual(
      [live.status, live.stderr],
      [64, 'samepagectl: watch needs a terminal; --once prints one frame\n'],
    );
    const rooted = await runCtl(['watch', '--once', '--root', host.tree.root]);
    assert.deepEqual([rooted.status, rooted.stderr], [64, 'samepagectl: watch takes --root only with --bus\n']);
  });
});
