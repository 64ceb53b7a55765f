import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentHost } from '../../support/agentHost.js';
import { SERVICE_NODE_FLAGS, wakeUps } from '../../support/serviceProcess.js';

/** A heartbeat of libvirt costs some wake-ups every 30 s. */
const SECONDS = 30;
/** What begins with the start is over: answers, timers of calls, the second look at new processes. */
const SETTLING_MILLIS = 8000;

/** Of samepaged as the service runs it, between two of its retunes. */
async function wakeUpsAtRest(libvirt: string): Promise<number> {
  await using host = await AgentHost.create({ bus: { libvirt: 'test' }, config: { KSM_EVENT_RECHECK: '' } });
  const daemon = await host.started({ libvirt, nodeFlags: SERVICE_NODE_FLAGS });
  await sleep(SETTLING_MILLIS);
  const before = wakeUps(daemon.pid);
  await sleep(SECONDS * 1000);
  return wakeUps(daemon.pid) - before;
}

describe('with nothing to do', { concurrency: true }, () => {
  it('samepaged with nothing to do sleeps where libvirt tells it of guests', async () => {
    const count = await wakeUpsAtRest('/org/libvirt/Test');
    assert.ok(count <= SECONDS / 2, `${count} wake-ups`);
  });

  it('samepaged with nothing to do wakes up for the search of /proc alone where there is no libvirt', async () => {
    const count = await wakeUpsAtRest('none');
    assert.ok(count <= 1.5 * SECONDS, `${count} wake-ups`);
  });
});
