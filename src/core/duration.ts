const UNIT_SECONDS = { d: 86400, h: 3600, m: 60, s: 1 } as const;

/** "90s", "10m", "2h30m", "1d", or seconds as a bare number, in milliseconds; undefined for anything else, and for 0. */
export function parseDuration(text: string): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000 || undefined;
  if (!/^(\d{1,6}[dhms])+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+)([dhms])/g)];
  const seconds = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS],
    0,
  );
  return seconds * 1000 || undefined;
}

/** "45 s", "1 min 30 s", "2 h 30 min": the two largest units, rounded up to whole seconds. */
export function formatDuration(millis: number): string {
  let left = Math.ceil(millis / 1000);
  const parts = (
    [
      ['d', 86400],
      ['h', 3600],
      ['min', 60],
      ['s', 1],
    ] as const
  ).map(([unit, seconds]) => {
    const count = Math.trunc(left / seconds);
    left -= count * seconds;
    return { count, text: `${count} ${unit}` };
  });
  const first = parts.findIndex(({ count }) => count > 0);
  if (first < 0) return '0 s';
  const [largest, next] = parts.slice(first, first + 2);
  return [largest, next].flatMap((part) => (part !== undefined && part.count > 0 ? [part.text] : [])).join(' ');
}
