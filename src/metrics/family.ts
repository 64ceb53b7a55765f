import type { Latencies } from './tally.js';

type Labels = Readonly<Record<string, string | number>>;

interface Value {
  readonly value: number;
  readonly labels: Labels;
  /** In a histogram, whose series have names of their own. */
  readonly metricName?: string;
}

/** A metric with its series. One that has none now is not on the page. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly values: readonly Value[];
}

/** @param value undefined where it is not known. */
export function gauge(name: string, help: string, value?: number): Family {
  return { name, help, type: 'gauge', values: alone(value) };
}

/** @param value undefined where it is not known. */
export function counter(name: string, help: string, value?: number): Family {
  return { name, help, type: 'counter', values: alone(value) };
}

/** A gauge of 1 whose labels say something. */
export function info(name: string, help: string, labels: Labels): Family {
  return { name, help, type: 'gauge', values: [{ value: 1, labels }] };
}

/** `family` with a series for each of `values`, whose key is what `label` says; what is undefined is not known. */
export function byLabel(family: Family, label: string, values: Readonly<Record<string, number | undefined>>): Family {
  const known = Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ value, labels: { [label]: key } }],
  );
  return { ...family, values: known };
}

/** A gauge of 1 for the name that it is now and 0 for the others. */
export function oneOf(
  name: string,
  help: string,
  label: string,
  names: readonly string[],
  now: string | undefined,
): Family {
  return byLabel(gauge(name, help), label, Object.fromEntries(names.map((each) => [each, Number(each === now)])));
}

export function histogram(name: string, help: string, { upTo, count, sumSeconds }: Latencies): Family {
  const buckets = [...upTo, ['+Inf', count] as const];
  return {
    name,
    help,
    type: 'histogram',
    values: [
      ...buckets.map(([le, value]) => ({ value, labels: { le }, metricName: `${name}_bucket` })),
      { value: sumSeconds, labels: {}, metricName: `${name}_sum` },
      { value: count, labels: {}, metricName: `${name}_count` },
    ],
  };
}

function alone(value: number | undefined): readonly Value[] {
  return value === undefined ? [] : [{ value, labels: {} }];
}
