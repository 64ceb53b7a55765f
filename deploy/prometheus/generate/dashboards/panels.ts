import {
  BigValueTextMode,
  StackingConfigBuilder,
  StackingMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type DynamicConfigValue,
  MappingType,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as CurvesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { DATASOURCE } from './dashboard.js';

/** As Grafana names them. */
export type Unit =
  'bytes' | 'Bps' | 'percentunit' | 'percent' | 's' | 'short' | 'none' | 'bool_yes_no' | 'dateTimeFromNow';

/** A query for each name of its curve, in which Grafana puts labels for {{label}}. */
type Queries = Readonly<Record<string, string>>;

interface PanelOptions {
  readonly title: string;
  readonly unit: Unit;
  readonly description?: string;
  /** In columns of 24. */
  readonly width: number;
}

/** Curves over time. */
export function curves(queries: Queries, options: PanelOptions & { readonly stacked?: boolean }): CurvesBuilder {
  const panel = framed(new CurvesBuilder(), options)
    .height(8)
    .lineWidth(1)
    .fillOpacity(options.stacked === true ? 30 : 8)
    .showPoints(VisibilityMode.Never)
    .legend(new VizLegendOptionsBuilder().showLegend(true))
    .targets(targets(queries));
  return options.stacked === true ? panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal)) : panel;
}

interface FigureOptions extends PanelOptions {
  /** Red below this number, or from `redFrom` on. */
  readonly redBelow?: number;
  readonly redFrom?: number;
  /** Shows this label and not the number, which is 1. */
  readonly label?: string;
}

/** One number. */
export function figure(expr: string, options: FigureOptions): StatBuilder {
  const { label } = options;
  return framed(new StatBuilder(), options)
    .height(4)
    .noValue('none')
    .textMode(label === undefined ? BigValueTextMode.Value : BigValueTextMode.Name)
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(stepsOf(options)))
    .withTarget(
      query(expr, 0)
        .instant()
        .legendFormat(label === undefined ? '__auto' : `{{${label}}}`),
    );
}

function stepsOf({ redBelow, redFrom }: FigureOptions): Threshold[] {
  const step = (value: number | null, color: string): Threshold => ({ value, color });
  if (redBelow !== undefined) return [step(null, 'red'), step(redBelow, 'green')];
  if (redFrom !== undefined) return [step(null, 'green'), step(redFrom, 'red')];
  return [step(null, 'blue')];
}

/** When states lasted: each series is one, 1 while it does. */
export function states(queries: Queries, options: PanelOptions): TimelineBuilder {
  const yes = { text: 'yes', color: 'blue' };
  const no = { text: 'no', color: 'transparent' };
  return framed(new TimelineBuilder(), options)
    .height(8)
    .mappings([{ type: MappingType.ValueToText, options: { 1: yes, 0: no } }])
    .showValue(VisibilityMode.Never)
    .legend(new VizLegendOptionsBuilder().showLegend(false))
    .targets(targets(queries));
}

/** The series of a query now, a row for each, with `value` as the heading of the number; a host leads to its dashboard. */
export function ranking(
  expr: string,
  options: PanelOptions & { readonly value: string; readonly hide?: readonly string[] },
): TableBuilder {
  const { value, unit, hide = [] } = options;
  const ofNumber: DynamicConfigValue[] = [{ id: 'unit', value: unit }];
  const hidden = ['Time', '__name__', 'job', ...hide];
  return framed(new TableBuilder(), options)
    .height(8)
    .withTarget(query(expr, 0).instant().format(PromQueryFormat.Table))
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: Object.fromEntries(hidden.map((name) => [name, true])),
        renameByName: { Value: value, instance: 'host' },
      },
    })
    .overrideByName(value, ofNumber)
    .overrideByName('host', [
      {
        id: 'links',
        value: [
          {
            title: 'Show the host',
            url: '/d/samepaged-host?var-datasource=${datasource}&var-job=${__data.fields.job}&var-instance=${__value.raw}',
          },
        ],
      },
    ]);
}

function query(expr: string, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(DATASOURCE)
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
    .expr(expr);
}

function targets(queries: Queries): DataqueryBuilder[] {
  return Object.entries(queries).map(([name, expr], index) => query(expr, index).range().legendFormat(name));
}

/** What every kind of panel has. */
interface Framed<Panel> {
  title(title: string): Panel;
  description(description: string): Panel;
  datasource(datasource: typeof DATASOURCE): Panel;
  span(columns: number): Panel;
  unit(unit: string): Panel;
}

function framed<Panel extends Framed<Panel>>(
  panel: Panel,
  { title, description = '', unit, width }: PanelOptions,
): Panel {
  return panel.title(title).description(description).datasource(DATASOURCE).span(width).unit(unit);
}
