import type { Decision } from '../../decision.js';
import { compareBytes } from '../../format.js';
import { type Policy, ownMemory } from '../../policy.js';
import type { Sample } from '../../sample.js';
import { KB, ksmtunedExplanation } from './explain.js';
import type { NeedOptions } from '../shared/need.js';
import { savingsTerms } from '../shared/savingsTerms.js';
import type { KsmtunedMemory, KsmtunedOptions } from './options.js';

/** The host that the sleep time is stated for. */
const REFERENCE_HOST_BYTES = 16 * 1024 ** 3;
const LEAST_SLEEP_MILLISECS = 10;

/**
 * ksmtuned's rule, decision for decision: Debian's ksmtuned 4.20150326, function `adjust`. All arithmetic is in bytes of
 * whole kB and truncates as the shell's does. Of equal figures the script starts and decays; so does this.
 */
export function ksmtunedPolicy(options: KsmtunedOptions): Policy {
  return {
    name: 'ksmtuned',
    decide(memory, sample) {
      const npages = ownMemory<KsmtunedMemory>(memory, 'ksmtuned')?.npages ?? 0;
      return decide(npages, sample, options);
    },
  };
}

function decide(npages: number, sample: Sample, options: KsmtunedOptions): readonly [KsmtunedMemory, Decision] {
  const { memory, guests, ksm } = sample;
  const totalBytes = wholeKb(memory.totalBytes);
  const freeBytes = wholeKb(memory.freeBytes);
  const committedBytes = wholeKb(memory.committedBytes);
  const reserveBytes = reserveOf(totalBytes, options);
  const savings = savingsTerms(sample);
  const figures = { totalBytes, freeBytes, committedBytes, reserveBytes, guestCount: guests.length, savings };

  const use = compareBytes([committedBytes, reserveBytes], totalBytes);
  const spare = compareBytes([freeBytes], reserveBytes);
  const committed = `guests use ${use.size(committedBytes)} + ${use.size(reserveBytes)} reserve ${use.sign} ${use.size(totalBytes)}`;
  const free = `free ${spare.size(freeBytes)} ${spare.sign} ${spare.size(reserveBytes)}`;

  const fits = committedBytes + reserveBytes < totalBytes;
  const enough = fits && freeBytes > reserveBytes;
  if (enough && options.when === 'needed') {
    const sentence = `${committed} and ${free}: not merging`;
    const working = ksmtunedExplanation(figures, undefined, options);
    return [
      { policy: 'ksmtuned', npages },
      { reason: 'enough-memory', sentence, settings: { run: 0 }, staysForMillis: Infinity, working },
    ];
  }

  const boost = freeBytes < reserveBytes;
  const stepKey = boost ? 'KSM_NPAGES_BOOST' : 'KSM_NPAGES_DECAY';
  const step = boost ? options.pagesBoost : options.pagesDecay;
  const wanted = npages + step;
  const next = bounded(wanted, options);
  const sleepMillisecs = Math.max(
    LEAST_SLEEP_MILLISECS,
    Math.trunc((options.sleepMillisecs * REFERENCE_HOST_BYTES) / totalBytes),
  );
  const scans = `(${next} pages every ${sleepMillisecs} ms)${next === 0 ? ', ksmd scans nothing' : ''}`;
  const pace = `${changeText(npages, next, wanted)} ${scans}`;
  return [
    { policy: 'ksmtuned', npages: next },
    {
      reason: enough ? 'always' : boost ? 'free-below-reserve' : fits ? 'free-at-reserve' : 'committed-above-total',
      sentence: enough
        ? `${committed} and ${free}: merging anyway (KSM_WHEN=always), ${pace}`
        : fits
          ? `${committed}, but ${free}: merging, ${pace}`
          : `${committed}: merging; ${free}: ${pace}`,
      settings: {
        ...(ksm.advisorMode !== undefined ? { advisorMode: 'none' as const } : {}),
        pagesToScan: next,
        sleepMillisecs,
        run: 1,
      },
      working: ksmtunedExplanation(
        figures,
        { pagesBefore: npages, step, stepKey, pages: next, sleepMillisecs },
        options,
      ),
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

/** The reserve: memory that should stay free. ksmtuned: thres = max(total * COEF / 100, CONST), in kB. */
function reserveOf(totalBytes: number, { thresholdPercent, thresholdBytes }: NeedOptions): number {
  return Math.max(wholeKb((totalBytes * thresholdPercent) / 100), wholeKb(thresholdBytes));
}

function wholeKb(bytes: number): number {
  return Math.trunc(bytes / KB) * KB;
}
