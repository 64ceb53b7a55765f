import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { othersTuning, tunesAlready } from '../../../src/daemon/standBy.js';
import { eventually } from '../../support/daemon.js';
import { HostTree } from '../../support/hostTree.js';

const VIRT_HANDLER = { name: 'virt-handler', pid: 88 };
const LOOK_MILLIS = 10;

/** What is said while others tune the KSM of `tree`, and whether that has ended. */
function watching(tree: HostTree, tuning: typeof VIRT_HANDLER | undefined, quietMillis: number) {
  const said: string[] = [];
  const watch = { said, hasEnded: false };
  const subscription = othersTuning({
    root: tree.root,
    ksm: { path: `${tree.root}/sys/kernel/mm/ksm` },
    tuning,
    onBlind: (why) => said.push(`blind: ${why}`),
    lookMillis: LOOK_MILLIS,
    quietMillis,
  }).subscribe({
    next: (text) => said.push(text),
    complete: () => (watch.hasEnded = true),
    error: (error: unknown) => said.push(String(error)),
  });
  return Object.assign(watch, {
    [Symbol.dispose]() {
      subscription.unsubscribe();
    },
  });
}

describe('standing by', { concurrency: true }, () => {
  it('standing by ends at once where nobody else tunes KSM, and virt-handler alone is nobody', async () => {
    using tree = HostTree.create();
    tree.addProcess({ pid: 88, argv: ['/usr/bin/virt-handler'], residentKb: 1 });
    using watch = watching(tree, undefined, 60_000);
    await eventually(() => watch.hasEnded);
    assert.deepEqual(watch.said, []);
  });

  it('standing by names ksmtuned once, then whoever comes after it, and ends when all have ended', async () => {
    using tree = HostTree.create();
    tree.addProcess({ pid: 77, argv: ['/bin/bash', '/usr/sbin/ksmtuned'], residentKb: 1 });
    using watch = watching(tree, undefined, 60_000);
    await eventually(() => watch.said.length > 0);
    await sleep(5 * LOOK_MILLIS);
    tree.addProcess({ pid: 78, argv: ['/usr/bin/samepaged'], residentKb: 1 });
    await eventually(() => watch.said.length > 1);
    tree.remove('proc/77');
    await sleep(5 * LOOK_MILLIS);
    assert.equal(watch.hasEnded, false);
    tree.remove('proc/78');
    await eventually(() => watch.hasEnded);
    assert.deepEqual(watch.said, [
      'ksmtuned (pid 77) tunes KSM on this host',
      'samepaged (pid 78) tunes KSM on this host',
    ]);
  });

  it('standing by lasts as long as virt-handler writes, also if it writes the same value', async () => {
    using tree = HostTree.create();
    tree.addProcess({ pid: 88, argv: ['/usr/bin/virt-handler'], residentKb: 1 });
    using watch = watching(tree, VIRT_HANDLER, 4000);
    for (let times = 0; times < 10; times += 1) {
      tree.setKsm('run', 1);
      await sleep(450);
    }
    assert.equal(watch.hasEnded, false);
    await eventually(() => watch.hasEnded);
    assert.deepEqual(watch.said, ['virt-handler (pid 88) tunes KSM on this host']);
  });

  it('standing by ends with virt-handler', async () => {
    using tree = HostTree.create();
    tree.addProcess({ pid: 88, argv: ['/usr/bin/virt-handler'], residentKb: 1 });
    using watch = watching(tree, VIRT_HANDLER, 60_000);
    await eventually(() => watch.said.length > 0);
    tree.remove('proc/88');
    await eventually(() => watch.hasEnded);
  });
});

describe('a virt-handler that is there already', () => {
  const others = [VIRT_HANDLER];
  for (const [name, found, expected] of [
    ['tunes where KSM runs', { isRunning: true, isOurs: false }, VIRT_HANDLER],
    ['may be idle where KSM does not run', { isRunning: false, isOurs: false }, undefined],
    ['may be idle where a samepaged before this one started KSM', { isRunning: true, isOurs: true }, undefined],
  ] as const) {
    it(`a virt-handler that is there already ${name}`, () => {
      assert.equal(tunesAlready(others, found), expected);
    });
  }
  it('a virt-handler that is there already is no other program', () => {
    assert.equal(tunesAlready([{ name: 'momd', pid: 5 }], { isRunning: true, isOurs: false }), undefined);
  });
});
