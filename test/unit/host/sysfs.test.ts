import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rootProblem } from '../../../src/host/sysfs.js';

test('--root must hold /proc and /sys: a directory without them and a file are refused', () => {
  assert.equal(rootProblem('fixtures/hosts/kernel-6.12'), undefined);
  for (const root of ['/nonexistent', 'package.json', 'fixtures']) {
    assert.equal(rootProblem(root), `--root ${root} has no proc and no sys: it must hold a copy of /proc and /sys`);
  }
});
