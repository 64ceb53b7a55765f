import { stringify } from 'yaml';
import { alerts } from './alerts.js';
import { fleetDashboard } from './dashboards/fleet.js';
import { hostDashboard } from './dashboards/host.js';
import { RULES } from './rules.js';
import type { Thresholds } from './thresholds.js';

export const MIXIN_DIRECTORY = 'deploy/prometheus';

export interface MixinOptions {
  readonly thresholds: Thresholds;
  /** Where the runbooks are; each has the name of its alert and ends in .md. */
  readonly runbooksUrl: string;
}

/** Where the package puts them; there is no address on the web. */
export const RUNBOOKS_URL = 'file:///usr/share/doc/samepaged/runbooks';

const HEADER = '# Made by npm run mixin from deploy/prometheus/generate; changes belong there.\n';

/** Every file of the mixin, by name. */
export function mixin(options: MixinOptions): Readonly<Record<string, string>> {
  return {
    'samepaged-rules.yml': yaml({ groups: [{ name: 'samepaged.rules', rules: RULES }] }),
    'samepaged-alerts.yml': yaml({ groups: [{ name: 'samepaged.alerts', rules: alertRules(options) }] }),
    'samepaged-host.json': json(hostDashboard(options.thresholds)),
    'samepaged-fleet.json': json(fleetDashboard(options.thresholds)),
  };
}

function alertRules({ thresholds, runbooksUrl }: MixinOptions) {
  return Object.entries(alerts(thresholds)).map(([alert, { expr, minutes, severity, summary, description }]) => ({
    alert,
    expr,
    for: `${minutes}m`,
    labels: { severity },
    annotations: { summary, description, runbook_url: `${runbooksUrl}/${alert}.md` },
  }));
}

function yaml(value: unknown): string {
  return HEADER + stringify(value, { lineWidth: 0 });
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
