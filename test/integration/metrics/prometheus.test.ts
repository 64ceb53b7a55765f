import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { families } from '../../../src/metrics/families.js';
import { pageOf } from '../../../src/metrics/page.js';
import { metricsServer } from '../../../src/metrics/server.js';
import { AgentHost } from '../../support/agentHost.js';
import { Child } from '../../support/child.js';
import { eventually } from '../../support/daemon.js';
import { type Dashboard, asAsked, queriesOf } from '../../support/dashboards.js';
import { simulatedHost } from '../../support/examples/simulatedHost.js';
import { freePort, httpGet } from '../../support/metrics.js';

const MIXIN = 'dist/deploy/prometheus/generate/main.js';
/** Numbers of simulated hosts; the first has no headroom. */
const FLEET = [10, 11, 12];

interface Result {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

interface Scene extends AsyncDisposable {
  /** Of the daemon, as Prometheus names it. */
  readonly instance: string;
  /** The simulated hosts, in the order of FLEET. */
  readonly simulated: readonly string[];
  readonly page: () => Promise<string>;
  readonly query: (text: string) => Promise<readonly Result[]>;
  readonly dashboard: (name: string) => Dashboard;
}

/** A daemon, simulated hosts beside it, and a Prometheus with the mixin, whose alerts fire at once. */
async function fleet(): Promise<Scene> {
  const host = await AgentHost.create({ bus: {} });
  const ends: (() => unknown)[] = [() => host[Symbol.asyncDispose]()];
  const end = async () => {
    for (const each of ends.reverse()) await each();
  };
  const [port, own] = [await freePort(), await freePort()];
  host.configure({
    KSM_METRICS_LISTEN: `127.0.0.1:${port}`,
    KSM_METRICS_GUESTS: 1,
    KSM_POLICY: 'adaptive',
    KSM_FORBID_GUESTS: 'vault',
  });
  host.tree.write('proc/vmstat', 'cow_ksm 1000\nksm_swpin_copy 7\n');
  host.tree.addProcess({ pid: 77, argv: ['ksmd'], residentKb: 0, comm: 'ksmd' });
  host.tree.write('proc/77/schedstat', '12500000000 250000000 99\n');
  host.tree.addGuest(101, 'web "1"', 2_000_000);
  host.tree.write('proc/101/ksm_stat', 'ksm_merging_pages 1000\nksm_process_profit 4000000\n');
  const daemon = await host.started();

  const begin = performance.now();
  const simulated = await Promise.all(
    FLEET.map(async (number) => {
      const page = () => pageOf(families(simulatedHost(number, (performance.now() - begin) / 1000)));
      const server = metricsServer({ metrics: page, notReady: () => undefined, notAlive: () => undefined }).listen(
        0,
        '127.0.0.1',
      );
      ends.push(() => {
        server.close();
        server.closeAllConnections();
      });
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }),
  );

  const directory = join(host.tree.root, 'mixin');
  const minutes = ['loss', 'headroom', 'tuner', 'libvirt', 'budget', 'burst', 'short', 'forbidden', 'starved'];
  host.tree.write('thresholds.json', JSON.stringify(Object.fromEntries(minutes.map((name) => [`${name}Minutes`, 0]))));
  const args = [MIXIN, '--thresholds', join(host.tree.root, 'thresholds.json'), '--output', directory];
  assert.equal(spawnSync(process.execPath, args).status, 0);
  const targets = [port, ...simulated].map((each) => `'127.0.0.1:${each}'`).join(', ');
  host.tree.write(
    'prometheus.yml',
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['${directory}/*.yml']
scrape_configs: [{ job_name: samepaged, static_configs: [{ targets: [${targets}] }] }]\n`,
  );
  mkdirSync(join(host.tree.root, 'tsdb'));
  const prometheus = Child.start(
    'prometheus',
    [
      `--config.file=${host.tree.root}/prometheus.yml`,
      `--storage.tsdb.path=${host.tree.root}/tsdb`,
      `--web.listen-address=127.0.0.1:${own}`,
    ],
    { log: join(host.tree.root, 'prometheus.log') },
  );
  ends.push(() => prometheus.kill());
  const query = async (text: string): Promise<readonly Result[]> => {
    const { body } = await httpGet({ port: own }, `/api/v1/query?query=${encodeURIComponent(text)}`);
    const { status, data } = JSON.parse(body) as { status: string; data?: { result: readonly Result[] } };
    assert.equal(status, 'success', `${text}: ${body}`);
    return data?.result ?? [];
  };
  const isScraped = () =>
    query('up{job="samepaged"} == 1')
      .then((found) => found.length === 1 + FLEET.length)
      .catch(() => false);
  await eventually(isScraped, () => host.tree.read('prometheus.log'));
  host.tree.addGuest(102, 'vault', 1_000_000);
  await daemon.line(/guest vault started/);

  return {
    instance: `127.0.0.1:${port}`,
    simulated: simulated.map((each) => `127.0.0.1:${each}`),
    page: async () => (await httpGet({ port })).body,
    query,
    dashboard: (name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as Dashboard,
    [Symbol.asyncDispose]: end,
  };
}

describe('a real Prometheus that scrapes a daemon and simulated hosts', () => {
  let scene: Scene;
  before(async () => {
    scene = await fleet();
  });
  after(() => scene[Symbol.asyncDispose]());

  it('Prometheus reads every metric of the page', async () => {
    const page = await scene.page();
    const names = Array.from(page.matchAll(/^# TYPE (\S+) (\w+)$/gm), ([, name = '', type]) =>
      type === 'histogram' ? `${name}_bucket` : name,
    );
    for (const name of names) assert.notDeepEqual(await scene.query(name), [], name);
    const [guest] = await scene.query('samepaged_guest_resident_bytes{guest=~"web.*"}');
    assert.deepEqual([guest?.metric['guest'], guest?.value[1]], ['web "1"', '2048000000']);
  });

  it('Prometheus evaluates the alerts: they fire for the hosts that they should', async () => {
    const firing = async (alert: string) =>
      (await scene.query(`ALERTS{alertname="${alert}", alertstate="firing"}`)).map(({ metric }) => metric['instance']);
    await eventually(async () => (await firing('SamepagedForbiddenGuestMergeable')).length > 0);
    assert.deepEqual(await firing('SamepagedForbiddenGuestMergeable'), [scene.instance]);
    assert.equal((await firing('SamepagedNoHeadroom')).length, 1);
  });

  for (const name of ['samepaged-host.json', 'samepaged-fleet.json']) {
    it(`Prometheus has an answer to every query of ${name}`, async () => {
      const instance = name === 'samepaged-host.json' ? scene.instance : '.*';
      const job = name === 'samepaged-host.json' ? 'samepaged' : '.*';
      let left = queriesOf(scene.dashboard(name));
      assert.ok(left.length > 0, `${left.length} queries`);
      await eventually(
        async () => {
          const silent = [];
          for (const each of left) {
            const results = await scene.query(asAsked(each.expr, { instance, job, interval: '15s' }));
            if (!results.some(({ value }) => value[1] !== 'NaN')) silent.push(each);
          }
          left = silent;
          return left.length === 0;
        },
        () => left.map(({ panel, expr }) => `${panel}: ${expr}`).join('\n'),
      );
    });
  }

  it('Prometheus ranks the hosts of a fleet', async () => {
    const ranked = async (title: string) => {
      const found = queriesOf(scene.dashboard('samepaged-fleet.json')).find(({ panel }) => panel === title);
      assert.ok(found !== undefined, title);
      return (await scene.query(asAsked(found.expr))).map(({ metric }) => metric['instance']);
    };
    const [first, second, third] = scene.simulated;
    assert.deepEqual((await ranked('Top savers')).slice(0, 3), [first, second, third]);
    assert.equal((await ranked('Worst headroom'))[0], first);
    assert.deepEqual(await ranked('Most CPU for a saved GiB'), [third, second, first]);
  });
});
