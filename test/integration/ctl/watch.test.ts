import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type AgentHost, decisions } from '../../support/agentHost.js';
import { eventually } from '../../support/daemon.js';
import { destroyTestGuest, startTestGuest } from '../../support/dbus/testDriver.js';
import { Tmux } from '../../support/tmux.js';
import { KEYS, LIBVIRT, between, isAsBefore, shortHost, watchWords, watching } from '../../support/watching.js';

describe('samepagectl watch', { concurrency: 2 }, () => {
  it('samepagectl watch shows decisions and guests as they come, and leaves the terminal as it was', async () => {
    await using host = await shortHost();
    const daemon = await host.started({ libvirt: LIBVIRT });
    await using watch = await watching(host);
    const { tmux } = watch;
    await tmux.shows(
      /^KSM is merging · ksmtuned +\S+ +\d\d:\d\d:\d\d\n.*free 2\.\d GiB < 3\.2 GiB:\nmerging, faster by 300/m,
    );
    await tmux.shows(/^1 GUEST +RESIDENT +MERGED +PROFIT\ntest /m);
    const client = await host.bus.connect();
    await startTestGuest(client, 'web');
    await tmux.shows(/^EVENTS\n.*\n\d\d:\d\d:\d\d \* guest web started/m);
    await tmux.shows(/^2 GUESTS .*\ntest .*\nweb /m);
    await destroyTestGuest(client, 'web');
    await tmux.shows(/ \* guest web stopped/);

    const count = decisions(daemon).length;
    await tmux.press('r');
    await tmux.shows(/^done: .*pages_to_scan \d+ -> \d+/m);
    assert.equal(decisions(daemon)[count]?.msg.startsWith('asked for by D-Bus:'), true, daemon.output);

    await tmux.press('p');
    await tmux.shows(/^KSM is not merging · paused by hand · ksmtuned/m);
    assert.equal(host.tree.ksm('run'), '0');
    await tmux.shows(/^r retune +p resume/m);
    await tmux.press('p');
    await tmux.shows(/^KSM is merging · ksmtuned/m);
    assert.equal(host.tree.ksm('run'), '1');

    await tmux.press('?');
    await tmux.shows(/^ {2}p {2}pause ksmd until p is pressed again$/m);
    await tmux.press('r');
    await tmux.shows(/^EVENTS/m);
    await tmux.press('q');
    await isAsBefore(watch, 0);
  });

  it('samepagectl watch outlives the daemon, says so, keeps the curves, and comes back by itself', async () => {
    await using host = await shortHost();
    host.tree.setKsm('pages_sharing', 1_000_000);
    const first = await host.started({ libvirt: LIBVIRT });
    await using watch = await watching(host);
    const { tmux } = watch;
    await tmux.shows(/^KSM is merging · ksmtuned[^]*^saved memory +3\.8 GiB[^]*█/m);
    await first.end('SIGTERM');
    const away = await tmux.shows(/^samepaged is not running: waiting for it/m);
    assert.match(away, /^saved memory +3\.8 GiB[^]*█/m);
    assert.match(away, /^\d\d:\d\d:\d\d ! samepaged has stopped$/m);
    await tmux.press('r');
    await tmux.shows(/^samepaged is not running$/m);

    const second = await host.started({ libvirt: LIBVIRT });
    await tmux.shows(/ ! samepaged runs again$/m);
    const back = await tmux.shows(/^KSM is merging · ksmtuned +\S+ +\d\d:\d\d:\d\d\n(?!samepaged)/m);
    assert.match(back, /^saved memory +3\.8 GiB[^]*█/m);
    await tmux.press('p');
    await tmux.shows(/paused by hand/);

    await second.end('SIGKILL');
    await tmux.shows(/^samepaged is not running: waiting for it/m);
    await tmux.press('q');
    await isAsBefore(watch, 0);
  });

  it('samepagectl watch begins without a bus, and goes on when it is gone', async () => {
    await using host = await shortHost();
    const daemon = await host.started();
    await using watch = await watching(host);
    const { tmux } = watch;
    await host.bus.killBus();
    await tmux.shows(/^samepaged cannot be reached: waiting for it/m);
    await daemon.end();
    await tmux.press('C-c');
    await isAsBefore(watch, 0);
    await tmux.enter(`clear; samepagectl watch ${watchWords(host).join(' ')}`);
    await tmux.shows(/^samepaged cannot be reached: waiting for it.*\n.*no D-Bus at/m);
    await tmux.shows(/^saved memory /m);
    await tmux.press('q');
    await tmux.shows(/^ready>/m);
  });
});

describe('samepagectl watch beside a daemon that goes on', { concurrency: 2 }, () => {
  let host: AgentHost;

  before(async () => {
    host = await shortHost();
    host.tree.setKsm('pages_sharing', 1_000_000);
    await host.started({ libvirt: LIBVIRT });
  });

  after(() => host[Symbol.asyncDispose]());

  it('samepagectl watch fits every size it is given', async () => {
    await using watch = await watching(host);
    const { tmux } = watch;
    for (const [columns, rows] of [
      [200, 50],
      [40, 10],
      [120, 12],
      [20, 3],
      [80, 24],
    ] as const) {
      await tmux.resize(columns, rows);
      await eventually(
        async () => {
          const lines = await tmux.lines();
          const full =
            lines.length === rows && (lines[0] ?? '').startsWith('KSM is merging') && (lines.at(-1) ?? '') !== '';
          return full && lines.filter((line) => line.startsWith('KSM is')).length === 1;
        },
        () => `${String(columns)}x${String(rows)} is not filled`,
      );
    }
    await tmux.shows(/^EVENTS/m);
    await tmux.press('q');
    await isAsBefore(watch, 0);
  });

  for (const [signal, status] of [
    ['TERM', 143],
    ['INT', 130],
    ['HUP', 129],
  ] as const) {
    it(`SIG${signal} to samepagectl watch leaves the terminal as it was`, async () => {
      await using watch = await watching(host);
      const { tmux } = watch;
      const pid = await tmux.pid();
      process.kill(pid, `SIG${signal}`);
      await isAsBefore(watch, status);
    });
  }

  it('samepagectl watch stopped by Ctrl-Z gives the terminal back, and takes it again', async () => {
    await using watch = await watching(host);
    const { tmux, before } = watch;
    for (const stop of ['C-z', 'SIGTSTP']) {
      if (stop === 'C-z') await tmux.press(stop);
      else process.kill(await tmux.pid(), 'SIGTSTP');
      await tmux.shows(/Stopped/);
      assert.equal((await tmux.modes()).slice(0, 5), before.slice(0, 5));
      await tmux.enter('fg');
      await tmux.shows(KEYS);
    }
    await tmux.press('q');
    await tmux.shows(/ready>\s*$/);
    assert.equal(await between(tmux), before);
  });

  it('samepagectl watch tells an error that nobody caught on a terminal as it was', async () => {
    await using tmux = await Tmux.start();
    const before = await between(tmux);
    const script = join(tmux.directory, 'fault.mjs');
    const screen = JSON.stringify(resolve('dist/src/text/screen.js'));
    await writeFile(
      script,
      `import { Screen } from ${screen};
       new Screen(process.stdin, process.stdout).draw(['drawn']);
       setTimeout(() => { throw new Error('a fault of ours'); }, 500);`,
    );
    await tmux.enter(`clear; '${process.execPath}' ${script}; echo status $?`);
    await tmux.shows(/^drawn$/m);
    const after = await tmux.shows(/^status 1$/m);
    assert.match(after, /Error: a fault of ours/);
    assert.equal(await between(tmux), before);
  });

  it('samepagectl watch draws with ASCII where the locale has no more, and on a console of Linux', async () => {
    await using watch = await watching(host, { locale: 'C' });
    const { tmux } = watch;
    assert.match(await tmux.shows(/^saved memory[^]*#/m), /^[ -~\n]*$/);
    await tmux.press('q');
    await tmux.shows(/^status 0$/m);
    await tmux.enter(`clear; LC_ALL=C.UTF-8 TERM=linux samepagectl watch --once ${watchWords(host).join(' ')}`);
    assert.match(await tmux.shows(/^saved memory[^]*#[^]*ready>/m), /^[ -~\n]*$/);
  });
});
