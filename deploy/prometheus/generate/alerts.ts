import { RECORDED } from './rules.js';
import type { Thresholds } from './thresholds.js';

interface Alert {
  readonly expr: string;
  readonly minutes: number;
  readonly severity: 'warning' | 'critical';
  readonly summary: string;
  readonly description: string;
}

const HOST = '{{ $labels.instance }}';
const BYTES = '{{ $value | humanize1024 }}B';
const PERCENT = '{{ $value | humanizePercentage }}';

/** Every alert; docs/runbooks has a file for each. */
export function alerts(thresholds: Thresholds): Readonly<Record<string, Alert>> {
  const { ksmdCpu, ksmdWait } = RECORDED;
  return {
    SamepagedMergingAtALoss: {
      expr: `samepaged_profit_bytes < -${thresholds.lossMebibytes} * 1024^2`,
      minutes: thresholds.lossMinutes,
      severity: 'warning',
      summary: `KSM on ${HOST} takes more memory than it saves.`,
      description: `The profit is ${BYTES}: KSM's own records take more memory than merging saves.`,
    },
    SamepagedNoHeadroom: {
      expr: `samepaged_headroom_bytes < ${thresholds.headroomPercent} / 100 * samepaged_memory_total_bytes`,
      minutes: thresholds.headroomMinutes,
      severity: 'warning',
      summary: `The merged pages on ${HOST} would not fit into memory if all of them split.`,
      description: `If the guests wrote to all merged pages, ${BYTES} of memory would stay available.`,
    },
    SamepagedAnotherTuner: {
      expr: `increase(samepaged_changes_by_others_total[1h]) >= ${thresholds.changesPerHour} or samepaged_settings_left_to_others > 0`,
      minutes: thresholds.tunerMinutes,
      severity: 'warning',
      summary: `Something else on ${HOST} changes the settings of KSM too.`,
      description:
        'The settings of KSM change though samepaged did not write them. In the end samepaged leaves them alone.',
    },
    SamepagedLibvirtGone: {
      expr: 'samepaged_connected{peer="libvirt"} == 0',
      minutes: thresholds.libvirtMinutes,
      severity: 'warning',
      summary: `samepaged on ${HOST} cannot reach libvirt.`,
      description:
        'samepaged finds guests in /proc instead, up to a second later, and does not see their balloons move.',
    },
    SamepagedKsmdOverBudget: {
      expr: `${ksmdCpu} > ${100 + thresholds.budgetExcessPercent} / 100 * samepaged_ksmd_budget_ratio`,
      minutes: thresholds.budgetMinutes,
      severity: 'warning',
      summary: `ksmd on ${HOST} takes more CPU time than its budget.`,
      description: `ksmd takes ${PERCENT} of a core. KSM_CPU_MAX allows less.`,
    },
    SamepagedBurstDoesNotEnd: {
      expr: 'samepaged_reason{reason="burst"} == 1',
      minutes: thresholds.burstMinutes,
      severity: 'warning',
      summary: `ksmd on ${HOST} has been merging at its budget for very long.`,
      description: 'A burst ends when another pass over memory would bring too little. This one goes on.',
    },
    SamepagedNotMergingThoughShort: {
      expr:
        'samepaged_memory_free_bytes < samepaged_memory_threshold_bytes and samepaged_merging == 0 and samepaged_guests > 0' +
        ' unless ignoring (reason) samepaged_reason{reason=~"nothing-to-gain|costs-more-than-it-saves"} == 1',
      minutes: thresholds.shortMinutes,
      severity: 'warning',
      summary: `Memory on ${HOST} is short, and KSM does not merge.`,
      description: `${BYTES} are free, which is less than the reserve. Merging could save memory, but ksmd does not run.`,
    },
    SamepagedForbiddenGuestMergeable: {
      expr: 'samepaged_guests_forbidden_mergeable > 0',
      minutes: thresholds.forbiddenMinutes,
      severity: 'critical',
      summary: `KSM on ${HOST} can merge a guest that must not be merged.`,
      description: '{{ $value }} of the running guests that KSM_FORBID_GUESTS names can be merged all the same.',
    },
    SamepagedKsmdStarved: {
      expr: `${ksmdWait} / (${ksmdWait} + ${ksmdCpu}) > ${thresholds.starvedPercent} / 100 and ${ksmdWait} > ${thresholds.starvedLeastPercent} / 100`,
      minutes: thresholds.starvedMinutes,
      severity: 'warning',
      summary: `ksmd on ${HOST} gets hardly any CPU time.`,
      description: `ksmd waits for a CPU in ${PERCENT} of the time in which it could run.`,
    },
  };
}
