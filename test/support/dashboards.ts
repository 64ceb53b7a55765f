/** What the tests look at in the JSON of a Grafana dashboard. */
export interface Dashboard {
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly datasource?: unknown }[];
  };
  readonly panels: readonly {
    readonly title: string;
    readonly type: string;
    readonly datasource?: unknown;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

/** Every query, with the title of its panel. */
export function queriesOf({ panels }: Dashboard): readonly { readonly panel: string; readonly expr: string }[] {
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ panel: title, expr })));
}

/** An expression with Grafana's variables replaced as Grafana does. */
export function asAsked(expr: string, { job = '.*', instance = '.*', interval = '1m' } = {}): string {
  return expr.replaceAll('$__rate_interval', interval).replaceAll('$job', job).replaceAll('$instance', instance);
}
