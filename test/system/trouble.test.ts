import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GUEST, LARGE_GUEST, Scene, untilKsm } from './scene.js';

test('after a restart of libvirtd events count again, and what was missed is repaired', async () => {
  await using scene = await Scene.open();
  const { lab } = scene;
  await using daemon = await scene.startDaemon();
  await lab.startGuest({ name: 'sp-one', ...GUEST });
  await daemon.line(/guest sp-one started/);

  await lab.stopLibvirtd();
  // A retune that has no answer does not leave it to the heartbeat.
  daemon.child.kill('SIGUSR1');
  await daemon.line(/libvirt does not answer .*guests are found in \/proc/);
  const down = daemon.lines.length;
  await lab.startLibvirtd();
  await lab.startGuest({ name: 'sp-two', ...GUEST });
  await daemon.line(/libvirt is connected/, { skip: down });
  await daemon.line(/guest sp-two started/, { skip: down });

  await lab.startGuest({ name: 'sp-three', ...LARGE_GUEST });
  await daemon.line(/^guest sp-three started: .*merging/, { skip: down });
  await untilKsm('run', (run) => run === 1, daemon);
  assert.equal(daemon.lines.filter(({ msg }) => msg.includes('libvirt does not answer')).length, 1, daemon.output);
  assert.equal(await daemon.end(), 0, daemon.output);
});

test('with a libvirtd that answers no call decisions come from /proc, and libvirt is taken up again', async () => {
  await using scene = await Scene.open();
  const { lab } = scene;
  await using daemon = await scene.startDaemon();
  for (const name of ['sp-one', 'sp-two', 'sp-three']) await lab.startGuest({ name, ...GUEST });
  await daemon.line(/guest sp-three started/);

  lab.signalLibvirtd('SIGSTOP');
  const frozen = daemon.lines.length;
  daemon.child.kill('SIGUSR1');
  const decided = await daemon.line(/^asked for by SIGUSR1: guests use 1\.\d+ GiB/, { skip: frozen });
  assert.equal(decided['guests'], 3, 'the guests were found in /proc');
  lab.signalLibvirtd('SIGCONT');
  await lab.destroyGuest('sp-one');
  await daemon.line(/guest sp-one stopped/, { skip: frozen });
  assert.equal(await daemon.end(), 0, daemon.output);
});
