import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Intents } from '../../../src/daemon/intent.js';
import { loadConfig } from '../../../src/config/load.js';
import { Logging } from '../../../src/log.js';

test('a clock that is set, back or forward, neither lengthens nor shortens a pause', async () => {
  const config = loadConfig();
  const logging = await Logging.start({ debug: false, logFile: '' });
  const intents = new Intents({
    root: '/nonexistent',
    config,
    reload: () => Promise.resolve(config),
    holdFile: undefined,
    logging,
  });
  const now = Date.now();
  const monotonic = performance.now();
  await intents.hold({ kind: 'paused', untilMillis: now + 600_000 }, { kind: 'manual', by: 'test' });
  for (const step of [-86_400_000, 86_400_000]) {
    intents.expire({ takenAtMillis: now + step, monotonicMillis: monotonic + 60_000 });
    const left = (intents.current.hold?.untilMillis ?? 0) - (now + step);
    assert.ok(Math.abs(left - 540_000) < 3000, String(left));
    // What hold() took the time of its end from is the real clock.
    await intents.hold({ kind: 'paused', untilMillis: Date.now() + 600_000 }, { kind: 'manual', by: 'test' });
  }
  intents.expire({ takenAtMillis: now - 86_400_000, monotonicMillis: monotonic + 601_000 });
  assert.equal(intents.current.hold, undefined);
});
