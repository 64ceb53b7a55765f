const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const MOST_DECIMALS = 3;

/** `bytes` for a reader: binary units, one decimal ("19.5 GiB", "-3.0 MiB", "512 B"). */
export function formatBytes(bytes: number): string {
  return textOf(bytes, 1);
}

/** How sizes compare, and what writes each of them for a reader. */
export interface Comparison {
  readonly sign: '<' | '=' | '>';
  /** With as many decimals, three at most, as the comparison needs to look true: "3.198 GiB < 3.200 GiB". */
  readonly size: (bytes: number) => string;
}

/** Compares the sum of `addends` with `limit`, all in bytes. */
export function compareBytes(addends: readonly number[], limit: number): Comparison {
  const sign = signOf(addends, limit);
  const readsTrue = (decimals: number) => {
    const read = (bytes: number) => asRead(bytes, decimals);
    return signOf(addends.map(read), read(limit)) === sign;
  };
  let decimals = 1;
  while (!areFarApart(addends, limit) && decimals < MOST_DECIMALS && !readsTrue(decimals)) decimals += 1;
  return { sign, size: (bytes) => textOf(bytes, decimals) };
}

/** A count with its noun: "1 guest", "3 guests". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function textOf(bytes: number, decimals: number): string {
  const [figure, unit] = shown(bytes, decimals);
  return `${figure} ${UNITS[unit] ?? 'B'}`;
}

/** The bytes that the text stands for. */
function asRead(bytes: number, decimals: number): number {
  const [figure, unit] = shown(bytes, decimals);
  return Number(figure) * 1024 ** unit;
}

function shown(bytes: number, decimals: number): readonly [figure: string, unit: number] {
  let value = bytes;
  let unit = 0;
  while (isRoundedTo1024(value, decimals) && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return [unit === 0 ? String(value) : value.toFixed(decimals), unit];
}

/** What would be rounded to 1024.0 is 1.0 of the next unit. */
function isRoundedTo1024(value: number, decimals: number): boolean {
  const size = Math.abs(value);
  // Rounding takes time, and most figures are far from the edge.
  return size >= 1024 || (size > 1023 && Number(size.toFixed(decimals)) >= 1024);
}

/** By more than rounding to one decimal of the largest unit can change, so that the comparison looks true with it. */
function areFarApart(addends: readonly number[], limit: number): boolean {
  const largest = Math.max(Math.abs(limit), ...addends.map(Math.abs));
  const unit = 1024 ** Math.floor(Math.log2(Math.max(largest, 1)) / 10);
  const distance = Math.abs(addends.reduce((sum, bytes) => sum + bytes, 0) - limit);
  return distance > 0.05 * unit * (addends.length + 1) + 1;
}

function signOf(addends: readonly number[], limit: number): Comparison['sign'] {
  // Decimals of a large unit are not whole bytes.
  const left = Math.round(addends.reduce((sum, bytes) => sum + bytes, 0) - limit);
  if (left === 0) return '=';
  return left < 0 ? '<' : '>';
}
