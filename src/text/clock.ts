const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What a clock's face is divided into, in milliseconds. */
const STEPS = [
  ...[10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE],
  ...[HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY],
];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** The shortest step of the clock that divides `spanMillis` into at most `most` parts; above that whole days. */
export function clockStep(spanMillis: number, most: number): number {
  return STEPS.find((step) => spanMillis / step <= most) ?? Math.ceil(spanMillis / most / DAY) * DAY;
}

/**
 * The times from `fromMillis` to `toMillis`, both included, at which the local clock shows a multiple of the step, counted from the
 * midnight before `fromMillis`. Where the clock is put forward or back for summer time, a step is longer or shorter.
 */
export function clockMarks(fromMillis: number, toMillis: number, stepMillis: number): readonly number[] {
  const from = new Date(fromMillis);
  const marks = new Set<number>();
  for (let seconds = 0; ; seconds += stepMillis / SECOND) {
    const mark = new Date(from.getFullYear(), from.getMonth(), from.getDate(), 0, 0, seconds).getTime();
    // An hour beyond: the marks of an hour that the clock leaves out come too late.
    if (mark > toMillis + HOUR) break;
    if (mark >= fromMillis && mark <= toMillis) marks.add(mark);
  }
  return [...marks].toSorted((a, b) => a - b);
}

/** "09:05", or "09:05:10" with seconds. */
export function clockTime(atMillis: number, withSeconds = false): string {
  const at = new Date(atMillis);
  const parts = [at.getHours(), at.getMinutes(), ...(withSeconds ? [at.getSeconds()] : [])];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

/** "5 Jan" */
export function shortDate(atMillis: number): string {
  const at = new Date(atMillis);
  return `${at.getDate()} ${MONTHS[at.getMonth()] ?? ''}`;
}

export function isMidnight(atMillis: number): boolean {
  return clockTime(atMillis, true) === '00:00:00';
}

/** "5 Jan 2026 09:00 to 6 Jan 11:00": the year once, the second date where it is another. */
export function clockRange(fromMillis: number, toMillis: number): string {
  const [from, to] = [new Date(fromMillis), new Date(toMillis)];
  const sameYear = from.getFullYear() === to.getFullYear();
  const sameDay = sameYear && shortDate(fromMillis) === shortDate(toMillis);
  const end = [...(sameDay ? [] : [shortDate(toMillis)]), ...(sameYear ? [] : [to.getFullYear()]), clockTime(toMillis)];
  return `${shortDate(fromMillis)} ${from.getFullYear()} ${clockTime(fromMillis)} to ${end.join(' ')}`;
}
