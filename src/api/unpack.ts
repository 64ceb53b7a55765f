import { Variant } from 'dbus-next';
import * as v from 'valibot';
import { clean } from '../text/clean.js';

function variant<T extends v.GenericSchema>(schema: T) {
  return v.pipe(
    v.instance(Variant),
    v.transform(({ value }): unknown => value),
    schema,
  );
}

/** As it comes over the bus: `plain` would take the ends of the lines for control characters. NextUSec: from when on there is more. */
export const HistoryPage = v.object({ Lines: variant(v.string()), NextUSec: v.optional(variant(v.bigint())) });
export type HistoryPage = v.InferOutput<typeof HistoryPage>;

/** What came over the bus without its Variants: 64-bit numbers are numbers, keys begin in lower case, texts are one clean line. */
export function plain(value: unknown): unknown {
  if (typeof value === 'string') return clean(value);
  if (value instanceof Variant) return plain(value.value);
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [
    key.charAt(0).toLowerCase() + key.slice(1),
    plain(inner),
  ]);
  return Object.fromEntries(entries);
}
