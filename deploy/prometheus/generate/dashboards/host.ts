import type { Thresholds } from '../thresholds.js';
import { dashboard } from './dashboard.js';
import { curves, figure, ranking, states } from './panels.js';

const HERE = 'job="$job", instance="$instance"';
/** A metric of the chosen host, with more matchers where there are some. */
const of = (name: string, matchers?: string) =>
  `samepaged_${name}{${matchers === undefined ? HERE : `${HERE}, ${matchers}`}}`;
const rate = (name: string) => `rate(${of(name)}[$__rate_interval])`;
const quantile = (part: number) =>
  `histogram_quantile(${part}, sum by (le) (rate(${of('event_to_applied_seconds_bucket')}[$__rate_interval])))`;

const third = { width: 8 };
const half = { width: 12 };
const sixth = { width: 4 };

/** Everything of one host: what merging saves and costs, whether it fits, and why samepaged decided as it did. */
export function hostDashboard({ headroomPercent }: Thresholds): object {
  return dashboard({
    uid: 'samepaged-host',
    title: 'KSM of a host (samepaged)',
    description: 'What merging saves and costs on one host, and why samepaged decided as it did.',
    severalInstances: false,
    rows: {
      Now: [
        figure(of('merging'), { ...sixth, title: 'Merging', unit: 'bool_yes_no' }),
        figure(`sum(${of('saved_bytes')})`, { ...sixth, title: 'Saved', unit: 'bytes' }),
        figure(of('profit_bytes'), { ...sixth, title: 'Profit', unit: 'bytes', redBelow: 0 }),
        figure(`${of('headroom_bytes')} / ${of('memory_total_bytes')}`, {
          ...sixth,
          title: 'Headroom',
          description: 'Part of memory that would stay available if all merged pages split',
          unit: 'percentunit',
          redBelow: headroomPercent / 100,
        }),
        figure(rate('ksmd_cpu_seconds_total'), { ...sixth, title: 'ksmd, part of a core', unit: 'percentunit' }),
        figure(of('policy_info'), { ...sixth, title: 'Policy', unit: 'none', label: 'policy' }),
        figure(of('guests'), { ...sixth, title: 'Guests', unit: 'none' }),
        figure(`sum(${of('guests_not_mergeable')})`, { ...sixth, title: 'Guests that KSM cannot merge', unit: 'none' }),
        figure(of('guests_forbidden_mergeable'), {
          ...sixth,
          title: 'Forbidden guests, mergeable',
          description: 'Guests that KSM_FORBID_GUESTS names and that KSM can still merge',
          unit: 'none',
          redFrom: 1,
        }),
        figure(`${of('memory_promised_bytes')} / ${of('memory_total_bytes')}`, {
          ...sixth,
          title: 'Promised to guests, part of memory',
          unit: 'percentunit',
        }),
        figure(`${of('last_decision_timestamp_seconds')} * 1000`, {
          ...sixth,
          title: 'Last decision',
          unit: 'dateTimeFromNow',
        }),
        figure(of('build_info'), { ...sixth, title: 'Version', unit: 'none', label: 'version' }),
      ],
      'Savings and costs': [
        curves({ '{{kind}}': of('saved_bytes') }, { ...third, title: 'Saved, by kind', unit: 'bytes', stacked: true }),
        curves(
          {
            profit: of('profit_bytes'),
            bookkeeping: of('bookkeeping_bytes'),
            'headroom if all pages split': of('headroom_bytes'),
          },
          { ...third, title: 'Profit, bookkeeping, headroom', unit: 'bytes' },
        ),
        curves(
          {
            'ksmd runs': rate('ksmd_cpu_seconds_total'),
            'ksmd waits for a CPU': rate('ksmd_wait_seconds_total'),
            budget: of('ksmd_budget_ratio'),
          },
          { ...third, title: 'ksmd, parts of a core', unit: 'percentunit' },
        ),
      ],
      Memory: [
        curves(
          {
            free: of('memory_free_bytes'),
            'reserve: merging is wanted below it': of('memory_threshold_bytes'),
            available: of('memory_available_bytes'),
          },
          { ...third, title: 'Free memory and the reserve', unit: 'bytes' },
        ),
        curves(
          {
            total: of('memory_total_bytes'),
            'guests, in RAM': of('memory_committed_bytes'),
            'promised to guests': of('memory_promised_bytes'),
          },
          { ...third, title: 'Memory of the guests', unit: 'bytes' },
        ),
        curves(
          {
            'by writes': rate('copied_on_write_bytes_total'),
            'by swap-in': rate('copied_on_swap_in_bytes_total'),
          },
          { ...third, title: 'Merged pages that were copied', unit: 'Bps' },
        ),
      ],
      Decisions: [
        states(
          { '{{reason}}': `${of('reason')} == 1` },
          { ...half, title: 'Reason of the last decision', unit: 'none' },
        ),
        curves(
          { '{{trigger}}': `increase(${of('retunes_total')}[$__rate_interval])` },
          { ...half, title: 'Retunes, by trigger', unit: 'short', stacked: true },
        ),
        curves(
          { 'half of them': quantile(0.5), '95 %': quantile(0.95) },
          { ...third, title: "From a guest's event to the setting", unit: 's' },
        ),
        curves(
          {
            written: `increase(${of('writes_total')}[$__rate_interval])`,
            'not taken by the kernel': `increase(${of('failed_writes_total')}[$__rate_interval])`,
            'changed by others': `increase(${of('changes_by_others_total')}[$__rate_interval])`,
            'left to others': of('settings_left_to_others'),
          },
          { ...third, title: 'Settings of KSM', unit: 'short' },
        ),
        states(
          {
            merging: of('merging'),
            'held: {{kind}}': of('hold'),
            'connected: {{peer}}': of('connected'),
            'dry run': of('dry_run'),
          },
          { ...third, title: 'States', unit: 'none' },
        ),
      ],
      Guests: [
        curves(
          { '{{obstacle}}': of('guests_not_mergeable') },
          { ...third, title: 'Guests that KSM cannot merge', unit: 'short', stacked: true },
        ),
        ranking(`topk(20, ${of('guest_resident_bytes')})`, {
          ...third,
          title: 'Largest guests',
          description: 'With KSM_METRICS_GUESTS=1',
          unit: 'bytes',
          value: 'in RAM',
          hide: ['instance'],
        }),
        ranking(`topk(20, ${of('guest_profit_bytes')})`, {
          ...third,
          title: 'Guests by profit',
          description: 'With KSM_METRICS_GUESTS=1',
          unit: 'bytes',
          value: 'profit',
          hide: ['instance'],
        }),
      ],
    },
  });
}
