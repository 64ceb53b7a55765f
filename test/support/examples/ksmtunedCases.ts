// Hosts and options for properties of the ksmtuned policy.
import fc from 'fast-check';
import type { KsmtunedOptions } from '../../../src/core/policies/ksmtuned/options.js';

/** A host's memory in kB. */
export interface Host {
  readonly totalKb: number;
  readonly freeKb: number;
  readonly committedKb: number;
}

/** The script's threshold in 64-bit shell arithmetic. */
export function reserveOf(totalKb: number, options: KsmtunedOptions): bigint {
  const share = (BigInt(totalKb) * BigInt(options.thresholdPercent)) / 100n;
  const least = BigInt(options.thresholdBytes) / 1024n;
  return share > least ? share : least;
}

const options = fc
  .record({
    pagesBoost: fc.integer({ min: -1000000, max: 1000000 }),
    pagesDecay: fc.integer({ min: -1000000, max: 1000000 }),
    bounds: fc.tuple(fc.nat(4294967295), fc.nat(4294967295)),
    sleepMillisecs: fc.nat(60000),
    thresholdPercent: fc.oneof({ arbitrary: fc.nat(60), weight: 3 }, fc.nat(1000)),
    thresholdBytes: fc.oneof({ arbitrary: fc.nat(4096), weight: 3 }, fc.nat(2 ** 36)).map((kb) => kb * 1024),
  })
  .map(({ bounds: [a, b], ...rest }): KsmtunedOptions => ({
    ...rest,
    when: 'needed',
    pagesMin: Math.min(a, b),
    pagesMax: Math.max(a, b),
  }));

/** Hosts up to 64 TiB; every other one lies on the rule's edges or one kB beside them. */
const hostWith = (chosen: KsmtunedOptions): fc.Arbitrary<Host> =>
  fc.integer({ min: 1, max: 2 ** 36 }).chain((totalKb) => {
    const reserveKb = Number(reserveOf(totalKb, chosen));
    const beside = (edgeKb: number) => fc.integer({ min: -1, max: 1 }).map((step) => Math.max(edgeKb + step, 0));
    return fc.record({
      totalKb: fc.constant(totalKb),
      freeKb: fc.oneof(fc.nat(totalKb), beside(reserveKb)),
      committedKb: fc.oneof(fc.nat(2 * totalKb), beside(totalKb - reserveKb)),
    });
  });
/** A host with the options that decide on it. */
export const cases = options.chain((chosen) => fc.record({ chosen: fc.constant(chosen), host: hostWith(chosen) }));
