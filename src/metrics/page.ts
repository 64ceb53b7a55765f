import { AggregatorRegistry, type PrometheusContentType, Registry } from 'prom-client';
import type { Family } from './family.js';

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/**
 * The metrics as Prometheus reads them. prom-client joins the pages of several processes from figures that were counted
 * elsewhere; this is one such page in a registry of its own.
 */
export async function pageOf(families: readonly Family[]): Promise<string> {
  const shown = families
    .filter(({ values }) => values.length > 0)
    .map((family) => ({ ...family, aggregator: 'first' }));
  return AggregatorRegistry.aggregate<PrometheusContentType>([shown]).metrics();
}
