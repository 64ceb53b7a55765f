import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { it } from 'node:test';
import { encodeLine } from '../../../src/state/history/lines.js';
import { NEEDS_ROOT, ServiceHost } from '../../support/dbus/authorizeHost.js';
import { callBus } from '../../support/dbus/busClient.js';
import { ManagerClient } from '../../support/dbus/managerClient.js';
import { UID } from '../../support/dbus/systemBus.js';
import { sampleAt } from '../../support/historyPlace.js';
import { residentBytes } from '../../bench/figures.js';

const FLOOD = fileURLToPath(new URL('../../support/dbus/flood.js', import.meta.url));
const MOST_BYTES = 150 * 1024 ** 2;

/** Eight hours of history: each answer is as large as one may be. */
function history(): string {
  const now = Date.now();
  return Array.from({ length: 2880 }, (_, index) => encodeLine(sampleAt(now - (2880 - index) * 10_000)).text).join('');
}

it(
  'answers that nobody reads: root is served meanwhile, and samepaged stays on the bus and small',
  { skip: NEEDS_ROOT },
  async () => {
    await using service = await ServiceHost.start({
      polkit: false,
      prepare: ({ tree }) => {
        tree.write('var/lib/samepaged/history.log', history());
      },
    });
    const bus = await service.bus.connect();
    const root = await ManagerClient.on(bus);
    // What is sent meanwhile lies in the bus, root's calls behind all others, and samepaged knows nobody's user yet.
    service.daemon.child.kill('SIGSTOP');
    const flood = spawn(process.execPath, [FLOOD, service.bus.address, '8', '128'], {
      uid: UID.nobody,
      gid: UID.nobody,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(flood.stdout, 'data');
      const retunes = Promise.all([root.retune(), root.retune(), root.retune()]);
      const goOn = callBus(bus, 'NameHasOwner', 'org.samepaged1').then(() => service.daemon.child.kill('SIGCONT'));
      await Promise.all([retunes, goOn]);
      await root.retune();
      assert.ok(residentBytes(service.daemon.pid) < MOST_BYTES, `${residentBytes(service.daemon.pid)} bytes`);
      assert.equal((await root.properties())['Policy'], 'ksmtuned');
      assert.doesNotMatch(service.daemon.output, /tuning goes on/);
    } finally {
      flood.kill('SIGKILL');
    }
  },
);
