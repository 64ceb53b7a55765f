import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { AgentHost } from '../../support/agentHost.js';
import { Child } from '../../support/child.js';
import { eventually } from '../../support/daemon.js';
import { freePort, httpGet } from '../../support/metrics.js';

interface Result {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

it('a real Prometheus reads every metric of the page', async () => {
  await using host = await AgentHost.create({ bus: {} });
  const [port, own] = [await freePort(), await freePort()];
  host.configure({ KSM_METRICS_LISTEN: `127.0.0.1:${port}`, KSM_METRICS_GUESTS: 1 });
  host.tree.addGuest(101, 'web "1"', 2_000_000);
  await host.started();
  host.tree.write(
    'prometheus.yml',
    `global: { scrape_interval: 1s }
scrape_configs: [{ job_name: samepaged, static_configs: [{ targets: ['127.0.0.1:${port}'] }] }]\n`,
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
  try {
    const query = async (text: string): Promise<readonly Result[]> => {
      const { body } = await httpGet({ port: own }, `/api/v1/query?query=${encodeURIComponent(text)}`);
      return (JSON.parse(body) as { data: { result: readonly Result[] } }).data.result;
    };
    const isScraped = () =>
      query('up{job="samepaged"} == 1')
        .then((found) => found.length === 1)
        .catch(() => false);
    await eventually(isScraped, 60_000, () => host.tree.read('prometheus.log'));
    const page = (await httpGet({ port })).body;
    const names = Array.from(page.matchAll(/^# TYPE (\S+) (\w+)$/gm), ([, name = '', type]) =>
      type === 'histogram' ? `${name}_bucket` : name,
    );
    for (const name of names) assert.notDeepEqual(await query(name), [], name);
    const [guest] = await query('samepaged_guest_resident_bytes');
    assert.deepEqual([guest?.metric['guest'], guest?.value[1]], ['web "1"', '2048000000']);
  } finally {
    await prometheus.kill();
  }
});
