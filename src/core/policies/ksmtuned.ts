import type { Decision } from '../decision.js';
import { formatBytes } from '../format.js';
import type { Policy } from '../policy.js';
import type { Sample } from '../sample.js';
import { type KsmtunedPace, ksmtunedWorking } from './ksmtunedWorking.js';
import type { PolicyMemory } from './memory.js';

/** The figures of ksmtuned.conf that its rule uses; the defaults are ksmtuned's. */
export interface KsmtunedOptions {
  /** KSM_NPAGES_BOOST: pages added per retune while free memory is below the reserve (300). */
  readonly pagesBoost: number;
  /** KSM_NPAGES_DECAY: pages added, as a rule a negative number, while it is not (-50). */
  readonly pagesDecay: number;
  /** KSM_NPAGES_MIN and KSM_NPAGES_MAX: bounds of pages_to_scan (64, 1250). */
  readonly pagesMin: number;
  readonly pagesMax: number;
  /** KSM_SLEEP_MSEC: ksmd's sleep between batches on a 16 GiB host, in milliseconds (10). */
  readonly sleepMillisecs: number;
  /** KSM_THRES_COEF: the reserve as a percentage of total memory (20). */
  readonly thresholdPercent: number;
  /** KSM_THRES_CONST: the least reserve, in bytes (2048 kB). */
  readonly thresholdBytes: number;
  /** KSM_WHEN: `needed` is ksmtuned's rule, `always` never stops, as the service ksm does (needed). */
  readonly when: 'needed' | 'always';
}

/** The host the sleep time is stated for, in kB. */
const REFERENCE_HOST_KB = 16 * 1024 * 1024;
const LEAST_SLEEP_MILLISECS = 10;

/** The reserve: memory that should stay free, in kB. ksmtuned: thres = max(total * COEF / 100, CONST). */
function thresholdKb(totalKb: number, options: KsmtunedOptions): number {
  return Math.max(Math.trunc((totalKb * options.thresholdPercent) / 100), kb(options.thresholdBytes));
}

/**
 * ksmtuned's rule, decision for decision: Debian's ksmtuned 4.20150326, function `adjust`. All arithmetic is in whole kB
 * and truncates as the shell's does. Of equal figures the script starts and decays; so does this.
 */
export function ksmtunedPolicy(options: KsmtunedOptions): Policy {
  return {
    name: 'ksmtuned',
    decide(memory, sample) {
      const npages = memory?.policy === 'ksmtuned' ? memory.npages : 0;
      return decide(npages, sample, options);
    },
  };
}

function decide(
  npages: number,
  { memory, guests, ksm }: Sample,
  options: KsmtunedOptions,
): readonly [PolicyMemory, Decision] {
  const totalKb = kb(memory.totalBytes);
  const freeKb = kb(memory.freeBytes);
  const committedKb = kb(memory.committedBytes);
  const reserveKb = thresholdKb(totalKb, options);

  const fits = committedKb + reserveKb < totalKb;
  const reserve = bytesText(reserveKb);
  const committed = `guests use ${formatBytes(memory.committedBytes)} + ${reserve} reserve ${sign(committedKb + reserveKb, totalKb)} ${formatBytes(memory.totalBytes)}`;
  const free = `free ${formatBytes(memory.freeBytes)} ${sign(freeKb, reserveKb)} ${reserve}`;

  const working = (pace?: KsmtunedPace) =>
    ksmtunedWorking({ totalKb, freeKb, committedKb, reserveKb, guestCount: guests.length, pace }, options);

  const enough = fits && freeKb > reserveKb;
  if (enough && options.when === 'needed') {
    const sentence = `${committed} and ${free}: not merging`;
    return [
      { policy: 'ksmtuned', npages },
      { reason: 'enough-memory', sentence, settings: { run: 0 }, working: working() },
    ];
  }

  const boost = freeKb < reserveKb;
  const stepKey = boost ? 'KSM_NPAGES_BOOST' : 'KSM_NPAGES_DECAY';
  const step = boost ? options.pagesBoost : options.pagesDecay;
  const wanted = npages + step;
  const next = bounded(wanted, options);
  const sleepMillisecs = Math.max(
    LEAST_SLEEP_MILLISECS,
    Math.trunc((options.sleepMillisecs * REFERENCE_HOST_KB) / totalKb),
  );
  const pace = `${changeText(npages, next, wanted)} (${next} pages every ${sleepMillisecs} ms)`;
  return [
    { policy: 'ksmtuned', npages: next },
    {
      reason: enough ? 'always' : boost ? 'free-below-reserve' : fits ? 'free-at-reserve' : 'committed-above-total',
      sentence: enough
        ? `${committed} and ${free}: merging all the same (KSM_WHEN=always), ${pace}`
        : fits
          ? `${committed}, but ${free}: merging, ${pace}`
          : `${committed}: merging; ${free}: ${pace}`,
      settings: {
        ...(ksm.advisorMode !== undefined ? { advisorMode: 'none' as const } : {}),
        pagesToScan: next,
        sleepMillisecs,
        run: 1,
      },
      working: working({ pagesBefore: npages, step, stepKey, pages: next, sleepMillisecs }),
    },
  ];
}

/** As in the script: the minimum is tried first, the maximum by `elif`, so a minimum above the maximum wins now and then. */
function bounded(pages: number, { pagesMin, pagesMax }: KsmtunedOptions): number {
  if (pages < pagesMin) return pagesMin;
  return pages > pagesMax ? pagesMax : pages;
}

function changeText(before: number, after: number, wanted: number): string {
  const change = after - before;
  const pace = change === 0 ? 'at the same pace' : `${change > 0 ? 'faster' : 'slower'} by ${Math.abs(change)}`;
  if (after < wanted) return `${pace}, the maximum`;
  return after > wanted ? `${pace}, the minimum` : pace;
}

function sign(left: number, right: number): string {
  if (left === right) return '=';
  return left < right ? '<' : '>';
}

function kb(bytes: number): number {
  return Math.trunc(bytes / 1024);
}

function bytesText(kilobytes: number): string {
  return formatBytes(kilobytes * 1024);
}
