import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MIXIN_DIRECTORY } from '../../deploy/prometheus/generate/mixin.js';
import { families } from '../../src/metrics/families.js';
import { CONTENT_TYPE, pageOf } from '../../src/metrics/page.js';
import { Child } from '../support/child.js';
import { type Dashboard, asAsked, queriesOf } from '../support/dashboards.js';
import { simulatedHost } from '../support/examples/simulatedHost.js';
import { freePort, httpGet, valueIn } from '../support/metrics.js';
import { removeScratch, scratchDirectory } from '../support/scratch.js';

/**
 * `npm run bench:fleet [HOSTS]`: so many simulated hosts (1000), scraped by one real Prometheus with the rules and alerts, and
 * what that takes: series, memory, and the time of each query of the fleet's dashboard. Each host is an address of 127.0.0.0/8.
 */
const SCRAPE_SECONDS = 5;
const RUN_SECONDS = 150;
/** As many as a curve of six hours has at a point a minute. */
const STEPS = 360;
const REPEATS = 3;

async function main([word = '1000']: readonly string[]): Promise<void> {
  const hosts = Number(word);
  const scratch = await scratchDirectory('fleet');
  const [port, own] = [await freePort(), await freePort()];
  const begin = performance.now();
  const server = createServer((request, response) => {
    const [, , high = 0, low = 0] = (request.socket.localAddress ?? '').split('.').map(Number);
    const facts = simulatedHost(high * 256 + low, (performance.now() - begin) / 1000);
    void pageOf(families(facts)).then((page) => response.writeHead(200, { 'content-type': CONTENT_TYPE }).end(page));
  }).listen(port, '0.0.0.0');
  const targets = Array.from({ length: hosts }, (_, host) => `127.1.${host >> 8}.${host & 255}:${port}`);
  writeFileSync(
    join(scratch, 'prometheus.yml'),
    `global: { scrape_interval: ${SCRAPE_SECONDS}s, evaluation_interval: ${SCRAPE_SECONDS}s }
rule_files: ['${resolve(MIXIN_DIRECTORY)}/*.yml']
scrape_configs: [{ job_name: samepaged, static_configs: [{ targets: ${JSON.stringify(targets)} }] }]\n`,
  );
  mkdirSync(join(scratch, 'tsdb'));
  const prometheus = Child.start(
    'prometheus',
    [
      `--config.file=${scratch}/prometheus.yml`,
      `--storage.tsdb.path=${scratch}/tsdb`,
      `--web.listen-address=127.0.0.1:${own}`,
    ],
    { log: join(scratch, 'prometheus.log') },
  );
  try {
    await delay(RUN_SECONDS * 1000);
    const { body } = await httpGet({ port: own });
    const status = readFileSync(`/proc/${prometheus.pid}/status`, 'utf8');
    const cpuTicks = Number(readFileSync(`/proc/${prometheus.pid}/stat`, 'utf8').split(' ')[13]);
    const group = (name: string) =>
      Array.from(body.matchAll(/^prometheus_rule_group_last_duration_seconds\{rule_group=".*;(.*)"\} (.*)$/gm)).find(
        ([, found]) => found === name,
      )?.[2];
    process.stdout.write(
      `${hosts} hosts scraped every ${SCRAPE_SECONDS} s for ${RUN_SECONDS} s
series                ${valueIn(body, 'prometheus_tsdb_head_series')}
memory (VmRSS)        ${Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024)} MiB
CPU (user)            ${Math.round((cpuTicks / RUN_SECONDS) * 10) / 10} % of a core
rules                 ${group('samepaged.rules')} s
alerts                ${group('samepaged.alerts')} s\n`,
    );
    const end = Date.now() / 1000;
    const board = JSON.parse(readFileSync(`${MIXIN_DIRECTORY}/samepaged-fleet.json`, 'utf8')) as Dashboard;
    for (const { panel, expr } of queriesOf(board)) {
      const text = encodeURIComponent(asAsked(expr));
      const range = `start=${end - 100}&end=${end}&step=${100 / STEPS}`;
      const once = await millis(own, `/api/v1/query?query=${text}`);
      const curve = await millis(own, `/api/v1/query_range?query=${text}&${range}`);
      process.stdout.write(`${panel.padEnd(40)} now ${once} ms, ${STEPS} points ${curve} ms\n`);
    }
  } finally {
    await prometheus.kill();
    server.close();
    server.closeAllConnections();
    await removeScratch(scratch);
  }
}

/** The median time of an answer. */
async function millis(port: number, path: string): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < REPEATS; turn += 1) {
    const begin = performance.now();
    const { status, body } = await httpGet({ port }, path);
    if (status !== 200) throw new Error(`${path}: ${body}`);
    times.push(performance.now() - begin);
  }
  return Math.round(times.sort((a, b) => a - b)[(REPEATS - 1) / 2] ?? 0);
}

await main(process.argv.slice(2));
