import { LOCALE, _, filled } from '../text.js';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** A size in binary units, as samepagectl writes it, with the locale's digits: "19.5 GiB". */
export function size(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (Math.abs(value) >= 1023.95 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  const decimals = unit === 0 ? 0 : 1;
  const figure = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  // A sign and its number stay together, and so do a number and its unit.
  return `${figure.format(value)}\u00a0${UNITS[unit] ?? 'B'}`;
}

/** Percent of one core; two digits where there are no more before the point. */
export function percent(value: number): string {
  const decimals = value < 9.95 && value >= 0.05 ? 1 : 0;
  const figure = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: decimals });
  return `${figure.format(value)}\u00a0%`;
}

export function count(value: number): string {
  return new Intl.NumberFormat(LOCALE).format(value);
}

/** A time of day, with the date where it is not today's. */
export function moment(millis: number, nowMillis: number): string {
  const isToday = new Date(millis).toDateString() === new Date(nowMillis).toDateString();
  return new Intl.DateTimeFormat(LOCALE, {
    timeStyle: 'medium',
    ...(isToday ? {} : { dateStyle: 'medium' }),
  }).format(millis);
}

/** "3 minutes ago", "in 2 hours". */
export function relative(millis: number, nowMillis: number): string {
  const seconds = Math.round((millis - nowMillis) / 1000);
  if (Math.abs(seconds) < 2) return _('just now');
  const format = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'always' });
  const [unit, length] = largestUnit(Math.abs(seconds));
  return format.format(Math.round(seconds / length), unit);
}

/** "45 sec", "2 hr, 30 min": the two largest units. */
export function duration(millis: number): string {
  let left = Math.max(Math.ceil(millis / 1000), 0);
  const parts = SPANS.flatMap(([unit, length]) => {
    const whole = Math.trunc(left / length);
    left -= whole * length;
    return whole === 0
      ? []
      : [new Intl.NumberFormat(LOCALE, { style: 'unit', unit, unitDisplay: 'short' }).format(whole)];
  });
  return parts.length === 0 ? filled(_('$0 s'), count(0)) : parts.slice(0, 2).join(' ');
}

const SPANS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

function largestUnit(seconds: number): readonly [Intl.RelativeTimeFormatUnit, number] {
  return SPANS.find(([, length]) => seconds >= length) ?? ['second', 1];
}
