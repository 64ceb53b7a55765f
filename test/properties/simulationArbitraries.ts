// Any virtual host, and whatever may happen on it in 20 s.
import fc from 'fast-check';
import type { KsmSettings } from '../../src/core/ksm.js';
import type { HostOptions } from '../../src/simulation/hostOptions.js';
import type { GuestContent, Step, TimedStep } from '../../src/simulation/step.js';

const content: fc.Arbitrary<GuestContent> = fc.record({
  commonMiB: fc.nat(6),
  image: fc.constantFrom('a', 'b'),
  zeroMiB: fc.nat(5),
  rewrittenZeroMiBPerSecond: fc.constantFrom(0, 0, 2, 20),
  ownMiB: fc.nat(6),
  rewrittenMiBPerSecond: fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 20, noNaN: true })),
});
const guest = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('start' as const), guest, content }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const), guest }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('align' as const), guest }) },
);
export const timeline: fc.Arbitrary<readonly TimedStep[]> = fc.array(fc.record({ atMillis: fc.nat(20_000), step }), {
  maxLength: 20,
  size: 'max',
});
export const settings: fc.Arbitrary<KsmSettings> = fc.record({
  run: fc.constantFrom(0, 1),
  pagesToScan: fc.oneof(fc.nat(2000), fc.nat(100_000)),
  sleepMillisecs: fc.constantFrom(1, 10, 20, 200),
  smartScan: fc.constantFrom(0, 1),
  useZeroPages: fc.constantFrom(0, 1),
  maxPageSharing: fc.constantFrom(2, 3, 256),
});
export const host: fc.Arbitrary<HostOptions> = fc.record({
  memoryMiB: fc.integer({ min: 1024, max: 4096 }),
  kernel: fc.constantFrom({ major: 6, minor: 4 }, { major: 6, minor: 10 }, { major: 6, minor: 18 }),
  hugePages: fc.boolean(),
  ownMiB: fc.constant(512),
  fillMiBPerSecond: fc.constantFrom(2, 320),
});
