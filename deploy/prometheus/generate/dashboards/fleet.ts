import { RECORDED } from '../rules.js';
import type { Thresholds } from '../thresholds.js';
import { dashboard } from './dashboard.js';
import { curves, figure, ranking } from './panels.js';

const CHOSEN = 'job=~"$job", instance=~"$instance"';
/** A metric of the chosen hosts, with more matchers where there are some. */
const of = (name: string, matchers?: string) =>
  `${name}{${matchers === undefined ? CHOSEN : `${CHOSEN}, ${matchers}`}}`;

const SAVED = of(RECORDED.saved);
const KSMD = of(RECORDED.ksmdCpu);
const GIB = '1024^3';
const HEADROOM = `${of('samepaged_headroom_bytes')} / ${of('samepaged_memory_total_bytes')}`;
/** Of hosts that save less than this the costs of a GiB mean nothing. */
const LEAST_SAVED = `${SAVED} > 0.1 * ${GIB}`;
const POLICY = `${of('samepaged_policy_info')} * on (job, instance) group_left (version) ${of('samepaged_build_info')}`;
const ALERTS = of('ALERTS', 'alertname=~"Samepaged.*", alertstate="firing"');

const third = { width: 8 };
const sixth = { width: 4 };

/** All hosts at once: who saves most, where it is tight, what a saved GiB costs, what alarms. Needs the recording rules. */
export function fleetDashboard({ headroomPercent }: Thresholds): object {
  const tight = `${HEADROOM} < ${headroomPercent} / 100`;
  return dashboard({
    uid: 'samepaged-fleet',
    title: 'KSM of a fleet (samepaged)',
    description: 'What merging saves and costs on many hosts. Needs the recording rules of samepaged-rules.yml.',
    severalInstances: true,
    rows: {
      Now: [
        figure(`count(${of('samepaged_up')} == 1)`, { ...sixth, title: 'Hosts', unit: 'none' }),
        figure(`sum(${SAVED})`, { ...sixth, title: 'Saved', unit: 'bytes' }),
        figure(`sum(${KSMD})`, { ...sixth, title: 'ksmd, cores', unit: 'short' }),
        figure(`3600 * sum(${KSMD}) / (sum(${SAVED}) / ${GIB})`, {
          ...sixth,
          title: 'CPU an hour for a saved GiB',
          unit: 's',
        }),
        figure(`count(${tight}) or vector(0)`, { ...sixth, title: 'Hosts without headroom', unit: 'none', redFrom: 1 }),
        figure(`count(${ALERTS}) or vector(0)`, { ...sixth, title: 'Alerts', unit: 'none', redFrom: 1 }),
      ],
      Rankings: [
        ranking(`topk(10, ${SAVED})`, { ...third, title: 'Top savers', unit: 'bytes', value: 'saved' }),
        ranking(`bottomk(10, ${HEADROOM})`, {
          ...third,
          title: 'Worst headroom',
          description: 'Part of memory that would stay available if all merged pages split',
          unit: 'percentunit',
          value: 'headroom',
        }),
        ranking(`topk(10, 3600 * ${KSMD} / ((${LEAST_SAVED}) / ${GIB}))`, {
          ...third,
          title: 'Most CPU for a saved GiB',
          description: 'CPU time of ksmd in an hour for each GiB that is saved',
          unit: 's',
          value: 'CPU an hour',
        }),
      ],
      Curves: [
        curves(
          { saved: `sum(${SAVED})`, profit: `sum(${of('samepaged_profit_bytes')})` },
          { ...third, title: 'Saved by all', unit: 'bytes' },
        ),
        curves(
          {
            'worst host': `min(${HEADROOM})`,
            'a tenth of the hosts has less': `quantile(0.1, ${HEADROOM})`,
            'half of the hosts has less': `quantile(0.5, ${HEADROOM})`,
          },
          { ...third, title: 'Headroom, part of memory', unit: 'percentunit' },
        ),
        curves({ 'ksmd of all hosts': `sum(${KSMD})` }, { ...third, title: 'ksmd, cores', unit: 'short' }),
      ],
      States: [
        curves(
          { '{{reason}}': `count by (reason) (${of('samepaged_reason')} == 1)` },
          { ...third, title: 'Hosts, by reason of the last decision', unit: 'short', stacked: true },
        ),
        curves(
          { '{{policy}} {{version}}': `count by (policy, version) (${POLICY})` },
          { ...third, title: 'Hosts, by policy and version', unit: 'short', stacked: true },
        ),
        ranking(ALERTS, {
          ...third,
          title: 'Alerts that fire',
          unit: 'none',
          value: 'firing',
          hide: ['alertstate', 'kind', 'peer', 'reason'],
        }),
      ],
    },
  });
}
