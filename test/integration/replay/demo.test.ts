import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { DEMO } from '../../support/programs.js';
import { Tmux } from '../../support/tmux.js';
import { between } from '../../support/watching.js';

const PROGRAM = resolve(DEMO);

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function demo(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Result> {
  return new Promise((done) => {
    const options = { env: { ...process.env, ...env }, maxBuffer: 2 ** 24 };
    const child = execFile(process.execPath, [PROGRAM, ...args], options, (_, stdout, stderr) => {
      done({ status: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

describe('npm run demo', { concurrency: 2 }, () => {
  it('npm run demo without a terminal tells at once how it ends and what came of it', async () => {
    const { status, stdout, stderr } = await demo(['--once'], { LC_ALL: 'C.UTF-8' });
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(
      stdout,
      /^12:00 {2}adaptive saved \S+ GiB (more|less) on average; its ksmd took \d+ s (more|less) CPU$/m,
    );
    for (const policy of ['ksmtuned', 'adaptive']) {
      assert.match(stdout, new RegExp(`^${policy} +\\S+ GiB +\\S+ GiB +\\d+ s +plenty +\\d+`, 'm'));
      assert.match(stdout, new RegExp(`^KSM is .*merging · ${policy} +simulated host +12:00:00$`, 'm'));
    }
    assert.match(stdout, /^This was a simulation: /m);
    assert.match(stdout, /^ {2}npm start /m);
    assert.doesNotMatch(stdout, /\u001b/);
  });

  it('npm run demo says what it takes, and refuses the rest in one line', async () => {
    const help = await demo(['--help']);
    assert.equal(help.status, 0);
    assert.match(help.stdout, /^Usage: npm run demo[^]*--once[^]*--speed N/);
    const wrong = await demo(['--speed', 'fast']);
    assert.deepEqual([wrong.status, wrong.stdout], [2, '']);
    assert.match(wrong.stderr, /^demo: --speed fast: expected [^\n]+\n$/);
  });

  it('npm run demo on a terminal plays to the end, and leaves the summary there', async () => {
    await using tmux = await Tmux.start({ columns: 160, rows: 60 });
    const before = await between(tmux);
    await tmux.enter(`clear; '${process.execPath}' ${PROGRAM} --speed 20; echo status $?`);
    await tmux.shows(/^KSM is .*· ksmtuned .*│ KSM is .*· adaptive /m);
    await tmux.shows(/^08:[345]\d {2}/m);
    const after = await tmux.shows(/^status 0$/m);
    assert.match(after, /^12:00 {2}adaptive saved [^]*^This was a simulation: [^]*^Next, on a host with guests:$/m);
    assert.equal(await between(tmux), before);
  });

  it('npm run demo pauses, goes on, changes speed and size, and q leaves the terminal as it was', async () => {
    await using tmux = await Tmux.start();
    const before = await between(tmux);
    await tmux.enter(`'${process.execPath}' ${PROGRAM} --speed 0.2; echo status $?`);
    await tmux.shows(/^q quit {3}space pause/m);
    await tmux.press('Space');
    await tmux.shows(/^q quit {3}space go on/m);
    await tmux.resize(160, 50);
    await tmux.shows(/^08:.* simulated, paused$/m);
    await tmux.press('Space');
    await tmux.shows(/ simulated, 48 times as fast$/m);
    await tmux.press('+');
    await tmux.shows(/ simulated, 96 times as fast$/m);
    await tmux.press('-');
    await tmux.shows(/ simulated, 48 times as fast$/m);
    await tmux.resize(80, 24);
    await tmux.shows(/^KSM is not merging · ksmtuned[^]*^KSM is not merging · adaptive/m);
    await tmux.press('q');
    const screen = await tmux.shows(/^status 0$/m);
    assert.match(screen, /^left alone\nover\nready> /m);
    assert.doesNotMatch(screen, /KSM is/);
    assert.equal(await between(tmux), before);
  });
});
