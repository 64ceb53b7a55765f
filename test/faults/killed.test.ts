import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentHost } from '../support/agentHost.js';
import { pick, randomFrom } from '../support/dbus/wire.js';
import { faultCount, faultSeed } from '../support/faultRuns.js';

const random = randomFrom(faultSeed);
/** From before its first line of code to after its third retune; on a busy machine that takes several starts' time. */
const LONGEST_MILLIS = 1500;
const LONGEST_STARTS = 3;
/** So many kills in a row before somebody gives the host back. */
const MOST_IN_A_ROW = 3;

/** Starts samepaged and kills it at some instant; until then its memory comes and goes, and it retunes. */
async function killAtRandom(host: AgentHost, longestMillis: number): Promise<void> {
  await using daemon = host.start();
  const instant = performance.now() + random(longestMillis);
  let isShort = false;
  const whole = host.ksmFiles();
  while (performance.now() < instant) {
    Object.assign(whole, written(host));
    isShort = !isShort;
    if (isShort) host.memoryIsShort();
    else host.memoryIsEnough();
    if (daemon.lines.length > 0) daemon.child.kill('SIGUSR1');
    await sleep(Math.min(random(60), Math.max(instant - performance.now(), 0)));
  }
  assert.equal(daemon.child.exitCode, null, daemon.output);
  assert.equal(await daemon.end('SIGKILL'), 'SIGKILL');
  // A file of sysfs takes a write as a whole or not at all; a copy of it can be left empty between the two.
  for (const [name, text] of Object.entries({ ...whole, ...written(host) })) host.tree.setKsm(name, text.trim());
  if (!existsSync(host.ledgerFile)) return;
  const { changed, found } = JSON.parse(readFileSync(host.ledgerFile, 'utf8')) as { changed: string[]; found: object };
  for (const setting of changed) assert.ok(setting in found, setting);
}

function written(host: AgentHost): Record<string, string> {
  return Object.fromEntries(Object.entries(host.ksmFiles()).filter(([, text]) => text !== ''));
}

describe('samepaged killed at random instants', () => {
  it('a kill at a random instant never damages the ledger, and the next restores every setting', async () => {
    const kills = faultCount(400, 10);
    const seen = { kills: 0, changed: 0 };
    await using host = await AgentHost.create({ config: { KSM_SMART_SCAN: 0 } });
    const before = host.ksmFiles();
    const at = performance.now();
    await (await host.started()).end();
    const longestMillis = Math.max(LONGEST_MILLIS, LONGEST_STARTS * Math.round(performance.now() - at));
    while (seen.kills < kills) {
      for (let left = 1 + random(MOST_IN_A_ROW); left > 0; left -= 1) {
        await killAtRandom(host, longestMillis);
        seen.kills += 1;
      }
      if (JSON.stringify(host.ksmFiles()) !== JSON.stringify(before)) seen.changed += 1;
      if (pick(random, ['give-back', 'start']) === 'give-back') {
        const { status, output } = await host.giveBack();
        assert.equal(status, 0, output);
      } else {
        const next = await host.started();
        assert.equal(await next.end(), 0, next.output);
      }
      assert.deepEqual(host.ksmFiles(), before);
      assert.equal(existsSync(host.ledgerFile), false);
    }
    assert.ok(seen.changed > 0, JSON.stringify(seen));
    process.stdout.write(`${seen.kills} kills, after which ${seen.changed} hosts had settings to be given back\n`);
  });
});
