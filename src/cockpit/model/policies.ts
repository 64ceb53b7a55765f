import type { ConfigEntry } from '../../api/replies.js';
import { _ } from '../text.js';

/** What a policy does; nothing for one that only a newer daemon has. */
export function policyText(name: string): string {
  const texts: Readonly<Record<string, string>> = {
    ksmtuned: _(
      'As the script ksmtuned: ksmd gets faster while less memory is free than the reserve, and slower while it is not. It merges only when memory is short.',
    ),
    adaptive: _('ksmd has a CPU budget. It scans all memory when there may be something to gain, and rests otherwise.'),
    advisor: _("The kernel's own advisor sets ksmd's pace, within the CPU budget. It needs Linux 6.8 or newer."),
  };
  return texts[name] ?? '';
}

/** A key of the configuration that matters for a policy, explained. */
export interface ExplainedKey {
  readonly key: string;
  readonly label: string;
  readonly value: string;
  readonly meaning: string;
}

export function explainedKeys(policy: string, entries: readonly ConfigEntry[]): readonly ExplainedKey[] {
  const wanted = policy === 'ksmtuned' ? KSMTUNED_KEYS : BUDGET_KEYS;
  return wanted.flatMap((name) => {
    const entry = entries.find(({ key }) => key === name);
    if (entry === undefined) return [];
    const { label, unit, meaning } = explained(name);
    return [{ key: name, label, value: unit === undefined ? entry.value : `${entry.value}\u00a0${unit}`, meaning }];
  });
}

const KSMTUNED_KEYS = ['KSM_WHEN', 'KSM_THRES_COEF', 'KSM_NPAGES_MAX', 'KSM_MONITOR_INTERVAL'] as const;
const BUDGET_KEYS = ['KSM_CPU_MAX', 'KSM_WHEN', 'KSM_THRES_COEF'] as const;
type Explained = (typeof KSMTUNED_KEYS | typeof BUDGET_KEYS)[number];

function explained(key: Explained): { readonly label: string; readonly unit?: string; readonly meaning: string } {
  switch (key) {
    case 'KSM_CPU_MAX':
      return { label: _('Budget'), unit: '%', meaning: _('The part of one core that ksmd may use.') };
    case 'KSM_WHEN':
      return { label: _('When'), meaning: _('needed: while memory is short. always: whenever guests run.') };
    case 'KSM_THRES_COEF':
      return { label: _('Reserve'), unit: '%', meaning: _('The part of all memory that should stay free.') };
    case 'KSM_NPAGES_MAX':
      return { label: _('Fastest pace'), meaning: _('The most pages that ksmd scans in a batch.') };
    case 'KSM_MONITOR_INTERVAL':
      return { label: _('Interval'), unit: 's', meaning: _('The time to the next retune if nothing happens.') };
  }
}
