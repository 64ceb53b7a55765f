import type { NeedOptions } from '../shared/need.js';

/** The figures of ksmtuned.conf that its rule uses; the defaults are ksmtuned's. */
export interface KsmtunedOptions extends NeedOptions {
  /** KSM_NPAGES_BOOST: pages added per retune while free memory is below the reserve (300). */
  readonly pagesBoost: number;
  /** KSM_NPAGES_DECAY: pages added, as a rule a negative number, while it is not (-50). */
  readonly pagesDecay: number;
  /** KSM_NPAGES_MIN and KSM_NPAGES_MAX: bounds of pages_to_scan (64, 1250). */
  readonly pagesMin: number;
  readonly pagesMax: number;
  /** KSM_SLEEP_MSEC: ksmd's sleep between batches on a 16 GiB host, in milliseconds (10). */
  readonly sleepMillisecs: number;
}

/** What the policy ksmtuned remembers. */
export interface KsmtunedMemory {
  readonly policy: 'ksmtuned';
  /** The script's own page count, which survives a stop. */
  readonly npages: number;
}
