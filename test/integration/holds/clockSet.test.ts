import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldFile } from '../../../src/state/hold.js';
import { scratchDirectory, removeScratch } from '../../support/scratch.js';

describe('a pause over a restart', () => {
  it('a pause over a restart lasts no longer than it had left, wherever the clock is', async () => {
    const directory = await scratchDirectory('hold');
    try {
      const file = new HoldFile(directory);
      const now = 1_800_000_000_000;
      await file.write({ hold: { kind: 'paused', untilMillis: now + 600_000 }, policy: undefined }, now);
      const untilAt = (millis: number) => file.read(millis).hold?.untilMillis;
      assert.equal(untilAt(now + 1000), now + 600_000);
      const setBack = now - 86_400_000;
      assert.equal(untilAt(setBack), setBack + 600_000);
    } finally {
      await removeScratch(directory);
    }
  });
});
