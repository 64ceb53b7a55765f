import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { initialState } from '../../../src/core/state.js';
import { familiesOfNone, families } from '../../../src/metrics/families.js';
import type { Family } from '../../../src/metrics/family.js';
import { pageOf } from '../../../src/metrics/page.js';
import { firstTally } from '../../../src/metrics/tally.js';
import { GIB, everything } from '../../support/examples/metricsFacts.js';

/** The lines with values, of all metrics that begin with `name`. */
async function lines(name: string, metrics: readonly Family[]): Promise<readonly string[]> {
  return (await pageOf(metrics)).split('\n').filter((line) => line.startsWith(name));
}

describe('the page of metrics', () => {
  test('the page of metrics has every metric with its help and type, of a name that Prometheus expects', async () => {
    const all = families(everything());
    const page = await pageOf(all);
    for (const { name, help, type } of all) {
      assert.ok(page.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}`), name);
      assert.match(name, /^samepaged(_[a-z]+)+$/);
      assert.equal(name.endsWith('_total'), type === 'counter', name);
    }
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
  });

  test('the page of metrics shows a profit below zero as it is', async () => {
    const facts = everything();
    const savings = { ...facts.state.savings, profitBytes: -5_000_000 };
    const page = families({ ...facts, state: { ...facts.state, savings } });
    assert.deepEqual(await lines('samepaged_profit_bytes', page), ['samepaged_profit_bytes -5000000']);
  });

  test('the metric headroom is what stays available if everything splits, the shortfall what would be missing', async () => {
    const facts = everything();
    const of = (availableBytes: number) => families({ ...facts, state: { ...facts.state, availableBytes } });
    const savedBytes = facts.state.savings.savedBytes;
    assert.deepEqual(await lines('samepaged_headroom', of(savedBytes + GIB)), [`samepaged_headroom_bytes ${GIB}`]);
    assert.deepEqual(await lines('samepaged_split_s', of(savedBytes + GIB)), ['samepaged_split_shortfall_bytes 0']);
    assert.deepEqual(await lines('samepaged_headroom', of(savedBytes - GIB)), [`samepaged_headroom_bytes ${-GIB}`]);
    assert.deepEqual(await lines('samepaged_split_s', of(savedBytes - GIB)), [
      `samepaged_split_shortfall_bytes ${GIB}`,
    ]);
  });

  test('the metric of the threshold is KSM_THRES_COEF percent of memory, at least KSM_THRES_CONST', async () => {
    const facts = everything();
    const of = (thresholdPercent: number) => families({ ...facts, limits: { ...facts.limits, thresholdPercent } });
    assert.deepEqual(await lines('samepaged_memory_thr', of(50)), [`samepaged_memory_threshold_bytes ${8 * GIB}`]);
    assert.deepEqual(await lines('samepaged_memory_thr', of(0)), [`samepaged_memory_threshold_bytes ${2048 * 1024}`]);
  });

  test('guests that cannot be merged are counted in the metrics under the first obstacle', async () => {
    const page = families(everything());
    const shown = await lines('samepaged_guests', page);
    assert.ok(shown.includes('samepaged_guests_not_mergeable{obstacle="hugepages"} 1'));
    assert.ok(shown.includes('samepaged_guests_not_mergeable{obstacle="pinned"} 0'));
    assert.ok(shown.includes('samepaged_guests_forbidden_mergeable 1'));
  });

  test("a guest's name in the metrics is what it is, in quotes and on one line", async () => {
    const facts = everything();
    const last = facts.tally.last;
    assert.ok(last !== undefined);
    const guests = [{ name: 'a"b\\c\nd {e} Ω', residentBytes: 1, configuredBytes: 2 }];
    const tally = { ...facts.tally, last: { ...last, sample: { ...last.sample, guests } } };
    assert.deepEqual(await lines('samepaged_guest_resident', families({ ...facts, tally })), [
      'samepaged_guest_resident_bytes{guest="a\\"b\\\\c\\nd {e} Ω"} 1',
    ]);
  });

  test('guests have no series in the metrics unless they are wanted', async () => {
    const facts = everything();
    const page = families({ ...facts, limits: { ...facts.limits, withGuests: false } });
    assert.deepEqual(await lines('samepaged_guest_', page), []);
  });

  test('what is not known is not in the metrics: no decision yet, an old kernel, one node', async () => {
    const fixed = { version: '1', policy: 'ksmtuned', configuredPolicy: 'ksmtuned', configFile: '/f', dryRun: false };
    const facts = everything();
    const none = { ...facts.readings, ksmdCpuNanos: undefined, copiedOnWrite: undefined, nodes: [] };
    const page = await pageOf(
      families({
        ...facts,
        state: initialState(fixed),
        tally: firstTally(false),
        readings: none,
        mergeability: undefined,
      }),
    );
    for (const name of [
      'memory_',
      'last_decision',
      'ksmd_cpu',
      'copied_on_write',
      'node_',
      'guests_not',
      'connected',
    ]) {
      assert.ok(!page.includes(`samepaged_${name}`), name);
    }
  });

  test('the page of metrics of a samepaged that does not run says that', async () => {
    assert.deepEqual(await lines('samepaged', familiesOfNone()), ['samepaged_up 0']);
  });
});

test('docs/metrics.md lists every metric as it is; UPDATE_GOLDEN=1 writes the list', () => {
  const rows = families(everything()).map(({ name, type, help, values }) => {
    const labels = [...new Set(values.flatMap(({ labels }) => Object.keys(labels)))].filter((label) => label !== 'le');
    return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |\n`;
  });
  const file = 'docs/metrics.md';
  const text = readFileSync(file, 'utf8');
  const [before = '', list = ''] = text.split('## The metrics\n');
  const empty = list.replaceAll(/^\| `samepaged_.*\n/gm, '');
  const listed = `${before}## The metrics\n${empty.replace(/^\| -.*\n/m, (line) => line + rows.join(''))}`;
  const squeezed = (table: string) => table.replaceAll(/ +\|/g, ' |').replaceAll(/\| -+/g, '| -');
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, listed);
  else assert.equal(squeezed(text), squeezed(listed));
});
