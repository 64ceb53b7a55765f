import type { Term, Explanation } from '../../decision.js';
import { compareBytes, formatBytes, plural } from '../../format.js';
import type { KsmtunedOptions } from './options.js';

/** The least that the script reckons with, in bytes. */
export const KB = 1024;

/** The figures of one decision, as ksmtuned reckons: bytes of whole kB. */
interface KsmtunedFigures {
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly committedBytes: number;
  readonly reserveBytes: number;
  readonly guestCount: number;
  /** What merging gave back, which the rule does not look at. */
  readonly savings: readonly Term[];
}

interface KsmtunedPace {
  readonly pagesBefore: number;
  readonly step: number;
  readonly stepKey: 'KSM_NPAGES_BOOST' | 'KSM_NPAGES_DECAY';
  readonly pages: number;
  readonly sleepMillisecs: number;
}

/** A guest that would change a decision is shown in a size that guests have: a power of two from here on, in bytes. */
const LEAST_GUEST_BYTES = 256 * 1024 ** 2;

/** What it means that free memory is less than the reserve, as much, or more. */
const MEANING = {
  '<': 'memory is short',
  '=': 'just the reserve is free',
  '>': 'memory is not short',
} as const;

/** From here on the reserve alone is most of memory; 50 to 99 are frequent in configurations that want merging always. */
const ALWAYS_PERCENT = 50;

const MEMORY_KEYS = ['KSM_MEMORY_ACCOUNTING', 'KSM_THRES_COEF', 'KSM_THRES_CONST', 'KSM_WHEN'];
const PACE_KEYS = ['KSM_NPAGES_BOOST', 'KSM_NPAGES_DECAY', 'KSM_NPAGES_MIN', 'KSM_NPAGES_MAX', 'KSM_SLEEP_MSEC'];

/**
 * ksmtuned's rule with the numbers of one decision.
 *
 * @param pace undefined where merging stops.
 */
export function ksmtunedExplanation(
  figures: KsmtunedFigures,
  pace: KsmtunedPace | undefined,
  options: KsmtunedOptions,
): Explanation {
  return {
    terms: [
      ...memoryTerms(figures, options),
      ...(pace === undefined ? [] : paceTerms(pace, options)),
      ...figures.savings,
    ],
    comparisons: [
      ...memoryComparisons(figures, options),
      ...(pace === undefined ? [] : paceComparisons(pace, options)),
    ],
    change: changeOf(figures, options),
    keys: pace === undefined ? MEMORY_KEYS : [...MEMORY_KEYS, ...PACE_KEYS],
  };
}

function memoryTerms(
  { totalBytes, freeBytes, committedBytes, reserveBytes, guestCount }: KsmtunedFigures,
  { thresholdPercent, thresholdBytes }: KsmtunedOptions,
): readonly Term[] {
  const bytes = (name: string, value: number, source: string): Term => ({ name, value, unit: 'bytes', source });
  return [
    bytes('total', totalBytes, '/proc/meminfo, less hugepage pools'),
    bytes('free', freeBytes, '/proc/meminfo, with what can be freed at once'),
    bytes('guests', committedBytes, `resident memory of ${plural(guestCount, 'guest')}`),
    bytes(
      'reserve',
      reserveBytes,
      `KSM_THRES_COEF ${thresholdPercent} % of total, at least KSM_THRES_CONST ${formatBytes(thresholdBytes)}`,
    ),
  ];
}

function paceTerms(
  { pagesBefore, step, stepKey, sleepMillisecs }: KsmtunedPace,
  options: KsmtunedOptions,
): readonly Term[] {
  return [
    { name: 'pages before', value: pagesBefore, unit: 'pages', source: 'the decision before' },
    { name: 'step', value: step, unit: 'pages', source: stepKey },
    {
      name: 'sleep',
      value: sleepMillisecs,
      unit: 'milliseconds',
      source: `KSM_SLEEP_MSEC ${options.sleepMillisecs} x 16 GiB / total, at least 10`,
    },
  ];
}

function memoryComparisons(figures: KsmtunedFigures, { thresholdPercent }: KsmtunedOptions): readonly string[] {
  const { totalBytes, freeBytes, committedBytes, reserveBytes } = figures;
  const neededBytes = committedBytes + reserveBytes;
  const use = compareBytes([neededBytes], totalBytes);
  const spare = compareBytes([freeBytes], reserveBytes);
  const sum = `guests ${use.size(committedBytes)} + reserve ${use.size(reserveBytes)} = ${use.size(neededBytes)}`;
  return [
    `${sum} ${use.sign} total ${use.size(totalBytes)}: ${use.sign === '<' ? 'they fit' : 'they do not fit'}`,
    `free ${spare.size(freeBytes)} ${spare.sign} reserve ${spare.size(reserveBytes)}: ${MEANING[spare.sign]}`,
    ...(thresholdPercent < ALWAYS_PERCENT
      ? []
      : [`KSM_THRES_COEF=${thresholdPercent} merges until ${thresholdPercent} % of memory is free: in effect always`]),
  ];
}

function paceComparisons(
  { pagesBefore, step, pages }: KsmtunedPace,
  { pagesMin, pagesMax }: KsmtunedOptions,
): readonly string[] {
  const sum = `${pagesBefore} ${step < 0 ? '-' : '+'} ${Math.abs(step)} = ${pagesBefore + step} pages`;
  return [`${sum}, kept between ${pagesMin} and ${pagesMax}: ${pages}`];
}

/** When merging stops (guests and reserve fit, and more than the reserve is free) both figures may have to move. */
function changeOf(figures: KsmtunedFigures, { when }: KsmtunedOptions): string {
  const { totalBytes, freeBytes, committedBytes, reserveBytes } = figures;
  const roomBytes = totalBytes - committedBytes - reserveBytes;
  const spareBytes = freeBytes - reserveBytes;
  const enough = roomBytes > 0 && spareBytes > 0;
  if (when === 'always') {
    return enough ? 'with KSM_WHEN=needed merging would stop now' : 'nothing: with KSM_WHEN=always it never stops';
  }
  if (enough) {
    const moreBytes = Math.min(roomBytes, spareBytes);
    const guest = `start one more ${guestSize(moreBytes)} guest that uses its memory, and merging begins`;
    return `guests may use ${formatBytes(moreBytes)} more: ${guest}`;
  }
  const less = formatBytes(KB - roomBytes);
  const more = formatBytes(KB - spareBytes);
  if (roomBytes > 0) return `merging stops when ${more} more are free, which merging itself may bring about`;
  const both = spareBytes > 0 ? '' : ` and ${more} more are free`;
  return `merging stops when guests use ${less} less${both}; merged pages count as used, so guests must end or shrink`;
}

function guestSize(bytes: number): string {
  let guest = LEAST_GUEST_BYTES;
  while (guest < bytes) guest *= 2;
  return formatBytes(guest).replace('.0 ', ' ');
}
