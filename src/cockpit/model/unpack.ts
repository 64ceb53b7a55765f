import { clean } from '../../text/clean.js';

/**
 * What came through Cockpit's bridge without its variants, for the schemas of api/replies.ts: keys begin in lower case, texts
 * are one clean line.
 */
export function unpacked(value: unknown): unknown {
  if (typeof value === 'string') return clean(value);
  if (Array.isArray(value)) return value.map(unpacked);
  if (typeof value !== 'object' || value === null) return value;
  if (isVariant(value)) return unpacked(value.v);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.charAt(0).toLowerCase() + key.slice(1), unpacked(inner)]),
  );
}

/** The text in a variant as it is, with its line ends. */
export function rawText(value: unknown): string {
  return isVariant(value) && typeof value.v === 'string' ? value.v : '';
}

function isVariant(value: unknown): value is { readonly t: string; readonly v: unknown } {
  return typeof value === 'object' && value !== null && 't' in value && 'v' in value;
}
