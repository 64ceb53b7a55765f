import type { Term, Working } from '../decision.js';
import { formatBytes, plural } from '../format.js';
import type { KsmtunedOptions } from './ksmtuned.js';

/** The figures of one decision, as ksmtuned reckons: whole kB. */
export interface KsmtunedFigures {
  readonly totalKb: number;
  readonly freeKb: number;
  readonly committedKb: number;
  readonly reserveKb: number;
  readonly guestCount: number;
  /** Undefined where merging stops. */
  readonly pace: KsmtunedPace | undefined;
}

export interface KsmtunedPace {
  readonly pagesBefore: number;
  readonly step: number;
  readonly stepKey: 'KSM_NPAGES_BOOST' | 'KSM_NPAGES_DECAY';
  readonly pages: number;
  readonly sleepMillisecs: number;
}

/** A guest that would change a decision is told in a size that guests have: a power of two from here on, in bytes. */
const LEAST_GUEST_BYTES = 256 * 1024 ** 2;

const MEMORY_KEYS = ['KSM_MEMORY_ACCOUNTING', 'KSM_THRES_COEF', 'KSM_THRES_CONST', 'KSM_WHEN'];
const PACE_KEYS = ['KSM_NPAGES_BOOST', 'KSM_NPAGES_DECAY', 'KSM_NPAGES_MIN', 'KSM_NPAGES_MAX', 'KSM_SLEEP_MSEC'];

/** ksmtuned's rule with the numbers of one decision. */
export function ksmtunedWorking(figures: KsmtunedFigures, options: KsmtunedOptions): Working {
  const { pace } = figures;
  return {
    terms: [...memoryTerms(figures, options), ...(pace === undefined ? [] : paceTerms(pace, options))],
    comparisons: [...memoryComparisons(figures), ...(pace === undefined ? [] : paceComparisons(pace, options))],
    change: changeOf(figures, options),
    keys: pace === undefined ? MEMORY_KEYS : [...MEMORY_KEYS, ...PACE_KEYS],
  };
}

function memoryTerms(
  { totalKb, freeKb, committedKb, reserveKb, guestCount }: KsmtunedFigures,
  { thresholdPercent, thresholdBytes }: KsmtunedOptions,
): readonly Term[] {
  const bytes = (name: string, kb: number, source: string): Term => ({ name, value: kb * 1024, unit: 'bytes', source });
  return [
    bytes('total', totalKb, '/proc/meminfo, less hugepage pools'),
    bytes('free', freeKb, '/proc/meminfo, with what can be freed at once'),
    bytes('guests', committedKb, `resident memory of ${plural(guestCount, 'guest')}`),
    bytes(
      'reserve',
      reserveKb,
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

function memoryComparisons({ totalKb, freeKb, committedKb, reserveKb }: KsmtunedFigures): readonly string[] {
  const neededKb = committedKb + reserveKb;
  const sum = `guests ${size(committedKb)} + reserve ${size(reserveKb)} = ${size(neededKb)}`;
  return [
    `${sum} ${sign(neededKb, totalKb)} total ${size(totalKb)}: ${neededKb < totalKb ? 'they fit' : 'they do not fit'}`,
    `free ${size(freeKb)} ${sign(freeKb, reserveKb)} reserve ${size(reserveKb)}: ${
      freeKb < reserveKb ? 'memory is short' : freeKb > reserveKb ? 'memory is not short' : 'just the reserve is free'
    }`,
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
  const { totalKb, freeKb, committedKb, reserveKb } = figures;
  const roomKb = totalKb - committedKb - reserveKb;
  const spareKb = freeKb - reserveKb;
  const enough = roomKb > 0 && spareKb > 0;
  if (when === 'always') {
    return enough ? 'with KSM_WHEN=needed merging would stop now' : 'nothing: with KSM_WHEN=always it never stops';
  }
  if (enough) {
    const moreBytes = Math.min(roomKb, spareKb) * 1024;
    const guest = `start one more ${guestSize(moreBytes)} guest that uses its memory, and merging begins`;
    return `guests may use ${formatBytes(moreBytes)} more: ${guest}`;
  }
  const lessKb = Math.max(1 - roomKb, 0);
  const moreKb = Math.max(1 - spareKb, 0);
  if (lessKb === 0) return `merging stops when ${size(moreKb)} more are free, which merging itself may bring about`;
  const both = moreKb === 0 ? '' : ` and ${size(moreKb)} more are free`;
  return `merging stops when guests use ${size(lessKb)} less${both}; merged pages count as used, so guests must end or shrink`;
}

function guestSize(bytes: number): string {
  let guest = LEAST_GUEST_BYTES;
  while (guest < bytes) guest *= 2;
  return formatBytes(guest).replace('.0 ', ' ');
}

function sign(left: number, right: number): string {
  if (left === right) return '=';
  return left < right ? '<' : '>';
}

function size(kb: number): string {
  return formatBytes(kb * 1024);
}
