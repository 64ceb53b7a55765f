/* eslint-disable @typescript-eslint/no-deprecated -- the classic JSON model: every Grafana in use imports it, the new one needs Grafana 12 */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';

/** Which datasource: one of those that the user's Grafana has. */
export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

export interface DashboardOptions {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Whether it shows several instances at once. */
  readonly severalInstances: boolean;
  /** Panels, by the title of their row. */
  readonly rows: Readonly<Record<string, readonly Builder<Panel>[]>>;
}

/** The JSON of a dashboard with the variables datasource, job and instance. */
export function dashboard({ uid, title, description, severalInstances, rows }: DashboardOptions): object {
  const values = (name: string, metric: string) =>
    new QueryVariableBuilder(name)
      .datasource(DATASOURCE)
      .query(`label_values(${metric}, ${name})`)
      .refresh(VariableRefresh.OnTimeRangeChanged);
  const several = (variable: QueryVariableBuilder) =>
    severalInstances ? variable.multi(true).includeAll(true).allValue('.*') : variable;
  const board = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['samepaged', 'ksm'])
    .timezone('browser')
    .time({ from: 'now-6h', to: 'now' })
    .refresh('1m')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').type('prometheus'))
    .withVariable(several(values('job', 'samepaged_up')))
    .withVariable(
      several(values('instance', severalInstances ? 'samepaged_up{job=~"$job"}' : 'samepaged_up{job="$job"}')),
    );
  for (const [row, panels] of Object.entries(rows)) {
    board.withRow(new RowBuilder(row));
    for (const panel of panels) board.withPanel(panel);
  }
  return board.build();
}
