import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { stringify } from 'yaml';
import { alerts } from '../../../deploy/prometheus/generate/alerts.js';
import { MIXIN_DIRECTORY, RUNBOOKS_URL } from '../../../deploy/prometheus/generate/mixin.js';
import { DEFAULTS } from '../../../deploy/prometheus/generate/thresholds.js';
import { HostTree } from '../../support/hostTree.js';

const FILES = ['samepaged-rules.yml', 'samepaged-alerts.yml'].map((name) => resolve(MIXIN_DIRECTORY, name));
const GIB = 1024 ** 3;
const HOST = 'job="samepaged",instance="host1"';

/** Values of a series, one a minute, as promtool writes them. */
type Series = Readonly<Record<string, string>>;

interface Scenario {
  /** When the alert fires, at the latest. */
  readonly minute: number;
  readonly firing: readonly Series[];
  /** Just not enough. */
  readonly silent: readonly Series[];
  /** Labels of the alert beside job, instance and severity. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly description: string;
}

const always = (value: number) => `${value}x70`;
const SHORT = {
  samepaged_memory_free_bytes: always(3 * GIB),
  samepaged_memory_threshold_bytes: always(4 * GIB),
  samepaged_merging: always(0),
  samepaged_guests: always(2),
};

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  SamepagedMergingAtALoss: {
    minute: 31,
    firing: [{ samepaged_profit_bytes: always(-128 * 1024 ** 2) }],
    silent: [
      { samepaged_profit_bytes: always(-32 * 1024 ** 2) },
      { samepaged_profit_bytes: `${-128 * 1024 ** 2}x20 0x70` },
    ],
    description: "The profit is -128MiB: KSM's own records take more memory than merging saves.",
  },
  SamepagedNoHeadroom: {
    minute: 16,
    firing: [{ samepaged_headroom_bytes: always(-GIB), samepaged_memory_total_bytes: always(16 * GIB) }],
    silent: [{ samepaged_headroom_bytes: always(GIB), samepaged_memory_total_bytes: always(16 * GIB) }],
    description: 'If the guests wrote to all merged pages, -1GiB of memory would stay available.',
  },
  SamepagedAnotherTuner: {
    minute: 60,
    firing: [
      { samepaged_changes_by_others_total: '0+1x70', samepaged_settings_left_to_others: always(0) },
      { samepaged_changes_by_others_total: always(1), samepaged_settings_left_to_others: always(3) },
    ],
    silent: [{ samepaged_changes_by_others_total: '0x10 1x70', samepaged_settings_left_to_others: always(0) }],
    description:
      'The settings of KSM change though samepaged did not write them. In the end samepaged leaves them alone.',
  },
  SamepagedLibvirtGone: {
    minute: 11,
    firing: [{ 'samepaged_connected{peer="libvirt"}': always(0), 'samepaged_connected{peer="bus"}': always(1) }],
    silent: [{ 'samepaged_connected{peer="libvirt"}': always(1) }, { 'samepaged_connected{peer="bus"}': always(0) }],
    labels: { peer: 'libvirt' },
    description: 'samepaged finds guests in /proc instead, up to a second later, and does not see their balloons move.',
  },
  SamepagedKsmdOverBudget: {
    minute: 22,
    firing: [{ samepaged_ksmd_cpu_seconds_total: '0+42x70', samepaged_ksmd_budget_ratio: always(0.5) }],
    silent: [
      { samepaged_ksmd_cpu_seconds_total: '0+33x70', samepaged_ksmd_budget_ratio: always(0.5) },
      { samepaged_ksmd_cpu_seconds_total: '0+60x70' },
    ],
    description: 'ksmd takes 70% of a core. KSM_CPU_MAX allows less.',
  },
  SamepagedBurstDoesNotEnd: {
    minute: 181,
    firing: [{ 'samepaged_reason{reason="burst"}': '1x190' }],
    silent: [{ 'samepaged_reason{reason="burst"}': '1x170 0x1 1x20' }],
    labels: { reason: 'burst' },
    description: 'A burst ends when another pass over memory would bring too little. This one goes on.',
  },
  SamepagedNotMergingThoughShort: {
    minute: 16,
    firing: [{ ...SHORT, 'samepaged_reason{reason="nothing-to-gain"}': always(0) }],
    silent: [
      { ...SHORT, 'samepaged_reason{reason="nothing-to-gain"}': always(1) },
      { ...SHORT, samepaged_memory_free_bytes: always(5 * GIB) },
      { ...SHORT, samepaged_merging: always(1) },
      { ...SHORT, samepaged_guests: always(0) },
    ],
    description: '3GiB are free, which is less than the reserve. Merging could save memory, but ksmd does not run.',
  },
  SamepagedForbiddenGuestMergeable: {
    minute: 6,
    firing: [{ samepaged_guests_forbidden_mergeable: always(1) }],
    silent: [{ samepaged_guests_forbidden_mergeable: always(0) }],
    description: '1 of the running guests that KSM_FORBID_GUESTS names can be merged all the same.',
  },
  SamepagedKsmdStarved: {
    minute: 37,
    firing: [{ samepaged_ksmd_cpu_seconds_total: '0+6x70', samepaged_ksmd_wait_seconds_total: '0+54x70' }],
    silent: [
      { samepaged_ksmd_cpu_seconds_total: '0+20x70', samepaged_ksmd_wait_seconds_total: '0+40x70' },
      { samepaged_ksmd_cpu_seconds_total: '0+0.1x70', samepaged_ksmd_wait_seconds_total: '0+3x70' },
    ],
    description: 'ksmd waits for a CPU in 90% of the time in which it could run.',
  },
};

describe('the rules and alerts of the mixin', () => {
  it('the rules and alerts of the mixin are as promtool wants them', () => {
    assertOk('check', 'rules', ...FILES);
  });

  it('the alerts of the mixin fire when they should, with the sentences that they should have, and only then', () => {
    const all = alerts(DEFAULTS);
    assert.deepEqual(Object.keys(SCENARIOS), Object.keys(all));
    const tests = Object.entries(SCENARIOS).flatMap(([alertname, scenario]) => {
      const { minute, firing, silent, labels = {}, description } = scenario;
      const { severity, summary = '' } = all[alertname] ?? {};
      const expected = {
        exp_labels: { severity, job: 'samepaged', instance: 'host1', ...labels },
        exp_annotations: {
          summary: summary.replace('{{ $labels.instance }}', 'host1'),
          description,
          runbook_url: `${RUNBOOKS_URL}/${alertname}.md`,
        },
      };
      return [
        ...firing.map((series) => testOf(series, [{ alertname, eval_time: `${minute}m`, exp_alerts: [expected] }])),
        ...silent.map((series) => testOf(series, [{ alertname, eval_time: `${minute}m`, exp_alerts: [] }])),
      ];
    });
    using tree = HostTree.create();
    tree.write('test.yml', stringify({ rule_files: FILES, evaluation_interval: '1m', tests }));
    assertOk('test', 'rules', `${tree.root}/test.yml`);
  });
});

function testOf(series: Series, alertRuleTest: readonly unknown[]) {
  const input = Object.entries(series).map(([name, values]) => ({
    series: name.includes('{') ? name.replace('}', `,${HOST}}`) : `${name}{${HOST}}`,
    values,
  }));
  return { interval: '1m', input_series: input, alert_rule_test: alertRuleTest };
}

function assertOk(...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}${stderr}`);
}
