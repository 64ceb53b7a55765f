import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readCgroup } from '../../../src/host/cgroup.js';
import { HostTree } from '../../support/hostTree.js';

const SCOPE = '/machine.slice/machine-qemu.scope';

describe('the cgroup of a process', () => {
  for (const [what, text, expected] of [
    ['of version 2', `0::${SCOPE}\n`, SCOPE],
    ['of version 1', `12:cpu,cpuacct:/else\n1:name=systemd:${SCOPE}\n`, SCOPE],
    ['of both', `1:name=systemd:${SCOPE}\n0::/\n`, SCOPE],
    ['that is the root', '0::/\n', undefined],
    ['seen from a cgroup namespace', '0::/../../kubepods.slice/pod1/qemu\n', '/kubepods.slice/pod1/qemu'],
    ['in no file', undefined, undefined],
  ] as const) {
    test(`the cgroup of a process ${what} is ${String(expected)}`, () => {
      using tree = HostTree.create();
      if (text !== undefined) tree.write('proc/77/cgroup', text);
      assert.equal(readCgroup(tree.root, 77), expected);
    });
  }
});
