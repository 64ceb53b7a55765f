import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { chownSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { findDaemons, findRivals } from '../../../src/host/daemons.js';
import { HostTree } from '../../support/hostTree.js';

const SOMEBODY = 65_534;
const TO_BE_OTHERS = { skip: process.getuid?.() === 0 ? false : 'root is needed to make files of other users' };

/** A tree with one process, whose script, if it is one, its interpreter runs. */
function treeWith(comm: string, ...argv: readonly string[]): HostTree {
  const tree = HostTree.create();
  tree.addProcess({ pid: 11, comm, argv, residentKb: 1 });
  return tree;
}

describe('daemons', () => {
  const rows: { name: string; argv: readonly [comm: string, ...argv: string[]]; found: boolean }[] = [
    { name: 'an executable', argv: ['momd', '/usr/sbin/momd'], found: true },
    {
      name: 'a script that Python runs',
      argv: ['python3.11', 'python3.11', '-B', '/usr/sbin/momd', '-c', 'x'],
      found: true,
    },
    { name: "a script that busybox's shell runs", argv: ['busybox', 'busybox', 'sh', '/usr/sbin/momd'], found: true },
    { name: 'an editor', argv: ['vi', '/usr/bin/vi', 'momd'], found: false },
    { name: 'a shell that runs an editor', argv: ['sh', 'sh', '-c', 'vi /usr/sbin/momd'], found: false },
    { name: 'a shell alone', argv: ['sh', '/bin/sh'], found: false },
  ];
  for (const { name, argv, found } of rows) {
    test(`a search for a daemon finds ${found ? 'it' : 'none'} in ${name}`, async () => {
      using tree = treeWith(...argv);
      assert.deepEqual(await findDaemons(tree.root, ['momd']), found ? [{ name: 'momd', pid: 11 }] : []);
    });
  }

  test('a zombie is not a running daemon', async () => {
    // The shell becomes a program that does not wait for what it has started, which ends then.
    const parent = spawn('sh', ['-c', 'sh -c "read line <&3" & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    });
    try {
      const [text] = (await once(parent.stdout ?? assert.fail(), 'data')) as [Buffer];
      const pid = Number(text.toString());
      while (readFileSync(`/proc/${String(parent.pid)}/comm`, 'latin1') !== 'sleep\n') await sleep(10);
      (parent.stdio[3] as Writable).end('\n');
      const state = () => readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
      while (!state().includes(') Z ')) await sleep(10);
      using tree = treeWith('momd', '/usr/sbin/momd');
      assert.equal((await findDaemons(tree.root, ['momd'])).length, 1);
      tree.write('proc/11/stat', state());
      assert.deepEqual(await findDaemons(tree.root, ['momd']), []);
    } finally {
      parent.kill();
    }
  });

  test('a name longer than comm can be is found by its first 15 bytes', async () => {
    using tree = treeWith('harvester-node-', '/usr/bin/harvester-node-manager');
    const name = 'harvester-node-manager';
    assert.deepEqual(await findDaemons(tree.root, ['momd', name]), [{ name, pid: 11 }]);
  });

  test('daemons are told in the order of their names', async () => {
    using tree = treeWith('ksmtuned', '/bin/bash', '/usr/sbin/ksmtuned');
    tree.addProcess({ pid: 12, argv: ['samepaged'], residentKb: 1 });
    assert.deepEqual(await findRivals(tree.root, 1), [
      { name: 'samepaged', pid: 12 },
      { name: 'ksmtuned', pid: 11 },
    ]);
    assert.deepEqual(
      (await findRivals(tree.root, 12)).map(({ name }) => name),
      ['ksmtuned'],
    );
  });

  test('daemons of a user who could not tune KSM are none, whatever he calls them', TO_BE_OTHERS, async () => {
    using tree = treeWith('sh', 'sh', 'ksmtuned');
    tree.addProcess({ pid: 12, argv: ['samepaged'], residentKb: 1 });
    for (const pid of ['11', '12']) chownSync(`${tree.root}/proc/${pid}`, SOMEBODY, SOMEBODY);
    assert.deepEqual(await findRivals(tree.root, 1), []);
    chownSync(`${tree.root}/sys/kernel/mm/ksm/run`, SOMEBODY, SOMEBODY);
    assert.equal((await findRivals(tree.root, 1)).length, 2, "the service's user, while it runs");
  });
});
