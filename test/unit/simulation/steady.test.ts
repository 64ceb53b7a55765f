import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualHost } from '../../../src/simulation/host.js';

describe('a virtual host is steady', () => {
  const content = { commonMiB: 64, ownMiB: 64, rewrittenMiBPerSecond: 0 };

  test('once its guests have filled their memory', () => {
    const host = new VirtualHost({ memoryMiB: 4096 });
    assert.equal(host.isSteady, true);
    host.take({ kind: 'start', guest: 'web', content }, false);
    assert.equal(host.isSteady, false);
    host.advanceTo(10_000);
    assert.equal(host.isSteady, true);
  });

  test('never while a guest empties pages over and over', () => {
    const host = new VirtualHost({ memoryMiB: 4096 });
    host.take(
      { kind: 'start', guest: 'web', content: { ...content, zeroMiB: 64, rewrittenZeroMiBPerSecond: 1 } },
      true,
    );
    host.advanceTo(10_000);
    assert.equal(host.isSteady, false);
  });

  test('when pressure has gone, and not before', () => {
    const host = new VirtualHost({ memoryMiB: 1200 });
    host.take({ kind: 'start', guest: 'web', content }, true);
    host.advanceTo(60_000);
    assert.ok(host.memoryPressurePercent > 0);
    host.take({ kind: 'stop', guest: 'web' }, true);
    host.advanceTo(120_000);
    assert.equal(host.isSteady, false);
    host.advanceTo(600_000);
    assert.deepEqual([host.memoryPressurePercent, host.isSteady], [0, true]);
  });
});
