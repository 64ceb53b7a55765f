const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const MOST_DECIMALS = 3;

/** `bytes` for a reader: binary units, one decimal ("19.5 GiB", "-3.0 MiB", "512 B"). */
export function formatBytes(bytes: number): string {
  return shown(bytes, 1).text;
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
  const looksTrue = (decimals: number) => {
    const read = (bytes: number) => shown(bytes, decimals).bytes;
    return signOf(addends.map(read), read(limit)) === sign;
  };
  let decimals = 1;
  while (decimals < MOST_DECIMALS && !looksTrue(decimals)) decimals += 1;
  return { sign, size: (bytes) => shown(bytes, decimals).text };
}

/** A count with its noun: "1 guest", "3 guests". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** The text, and the bytes that it stands for. */
function shown(bytes: number, decimals: number): { text: string; bytes: number } {
  let value = bytes;
  let unit = 0;
  // What would be rounded to 1024.0 is 1.0 of the next unit.
  while (Math.abs(Number(value.toFixed(decimals))) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const figure = unit === 0 ? String(value) : value.toFixed(decimals);
  return { text: `${figure} ${UNITS[unit] ?? 'B'}`, bytes: Number(figure) * 1024 ** unit };
}

function signOf(addends: readonly number[], limit: number): Comparison['sign'] {
  // Decimals of a large unit are not whole bytes.
  const left = Math.round(addends.reduce((sum, bytes) => sum + bytes, 0) - limit);
  if (left === 0) return '=';
  return left < 0 ? '<' : '>';
}
