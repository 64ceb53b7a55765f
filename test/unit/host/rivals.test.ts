import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasUksm, readBootWrites } from '../../../src/host/rivals.js';
import { HostTree } from '../../support/hostTree.js';

test('lines for /sys/kernel/mm/ksm are found in tmpfiles.d, and no comment or other file', () => {
  using tree = HostTree.create('kernel-6.12');
  assert.deepEqual(readBootWrites(tree.root), []);
  tree.write('etc/tmpfiles.d/ksm.conf', '# w /sys/kernel/mm/ksm/run - - - - 1\nw! /sys/kernel/mm/ksm/run - - - - 1\n');
  tree.write('usr/lib/tmpfiles.d/a.conf', 'd /run/ksm 0755\nw /sys/kernel/mm/ksm/sleep_millisecs - - - - 20\n');
  tree.write('etc/tmpfiles.d/ksm.conf.bak', 'w /sys/kernel/mm/ksm/run - - - - 1\n');
  const places = readBootWrites(tree.root).map(({ place }) => place);
  assert.deepEqual(places, ['/etc/tmpfiles.d/ksm.conf:2', '/usr/lib/tmpfiles.d/a.conf:2']);
});

test("KSM_ENABLED of Ubuntu's qemu-kvm counts where its script is installed, unless it is 0", () => {
  using tree = HostTree.create('kernel-6.12');
  const places = () => readBootWrites(tree.root).map(({ place }) => place);
  tree.write('etc/default/qemu-kvm', '# KSM\nKSM_ENABLED=AUTO\nSLEEP_MILLISECS=200\n');
  assert.deepEqual(places(), []);
  tree.write('usr/share/qemu/init/qemu-kvm-init', '#!/bin/sh\n');
  assert.deepEqual(places(), ['/etc/default/qemu-kvm:2']);
  tree.write('etc/default/qemu-kvm', 'KSM_ENABLED=0\n');
  assert.deepEqual(places(), []);
});

test('UKSM is found by its directory', () => {
  using tree = HostTree.create('kernel-6.12');
  assert.equal(hasUksm(tree.root), false);
  tree.write('sys/kernel/mm/uksm/run', '1\n');
  assert.equal(hasUksm(tree.root), true);
});
