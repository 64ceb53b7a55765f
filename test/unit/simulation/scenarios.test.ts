import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fixedPlan } from '../../../src/simulation/run.js';
import { DEFAULT_SIZES, type Scenario, type Step, scenario } from '../../../src/simulation/step.js';
import { simulate } from '../../support/simulation/simulate.js';
import { bootedGuestMiB, bootedGuestXml } from '../../support/kvm/bootedGuest.js';

/** Step by step, in the order of time. */
function guestsThere({ before, then, later = [] }: Scenario): number[] {
  const there = new Set<string>();
  const steps: Step[] = [...before, ...then, ...later.map(({ step }) => step)];
  return steps.map(({ kind, guest }) => {
    if (kind === 'start') there.add(guest);
    if (kind === 'stop') there.delete(guest);
    return there.size;
  });
}

describe('the scenario staggered', () => {
  const staggered = scenario('staggered', DEFAULT_SIZES);

  test('the scenario staggered starts eight guests, one each 10 s', () => {
    assert.deepEqual(guestsThere(staggered), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.deepEqual(
      staggered.later?.map(({ atMillis }) => atMillis / 1000),
      [10, 20, 30, 40, 50, 60, 70],
    );
  });
  test('the scenario staggered is merged whole by a simulated ksmd without sleep before it ends', () => {
    const { figures } = simulate({
      story: staggered,
      plan: fixedPlan({ pagesToScan: 2000, sleepMillisecs: 0, run: 1 }),
      durationMillis: staggered.lastsMillis ?? 0,
    });
    assert.ok(figures.reachedShare >= 0.99, `${figures.reachedShare}`);
    assert.ok((figures.millisTo99 ?? 0) > 70_000, `${figures.millisTo99}`);
  });
});

test('the scenario replaced has six settled guests and one more at any time', () => {
  const { before, later = [], ...rest } = scenario('replaced', DEFAULT_SIZES);
  assert.equal(before.length, 7);
  const after = guestsThere({ ...rest, before, later }).slice(before.length);
  assert.deepEqual(new Set(after), new Set([6, 7]));
  const settled = new Set(before.slice(0, 6).map(({ guest }) => guest));
  assert.ok(later.every(({ step }) => !settled.has(step.guest)));
  assert.deepEqual([later[0]?.atMillis, later.at(-1)?.atMillis, later.length], [10_000, 140_000, 28]);
});

describe("a booted guest's orders", () => {
  const orders = (name: string, content: object) => {
    const whole = { commonMiB: 4, ownMiB: 2, rewrittenMiBPerSecond: 0, ...content };
    const xml = bootedGuestXml({ name, content: whole }, { kernel: '/k', initramfs: '/i' }, '/s');
    return Object.fromEntries([...xml.matchAll(/([A-Z_]+)=(\w+)/g)].map(([, key = '', value]) => [key, value]));
  };

  test("a booted guest's orders name its empty pages and how many it rewrites", () => {
    const { ZERO_MIB, REWRITTEN_ZERO_MIB_PER_SECOND } = orders('a', { zeroMiB: 8, rewrittenZeroMiBPerSecond: 3 });
    assert.deepEqual([ZERO_MIB, REWRITTEN_ZERO_MIB_PER_SECOND], ['8', '3']);
    assert.deepEqual(orders('a', {}), { ...orders('a', {}), ZERO_MIB: '0', REWRITTEN_ZERO_MIB_PER_SECOND: '0' });
  });
  test("a booted guest's orders give guests of one image, and of no image, the same common pages", () => {
    const seed = (name: string, image?: string) => orders(name, image === undefined ? {} : { image })['COMMON_SEED'];
    assert.equal(seed('a', 'A'), seed('b', 'A'));
    assert.equal(seed('a'), seed('b'));
    assert.equal(new Set([seed('a'), seed('a', 'A'), seed('a', 'B')]).size, 3);
  });
  test("a booted guest's orders give no two guests the same pages of their own", () => {
    assert.notEqual(orders('a', {})['OWN_SEED'], orders('b', {})['OWN_SEED']);
  });
  test("a booted guest's orders leave room for all of it", () => {
    const content = { commonMiB: 4, ownMiB: 2, zeroMiB: 8, rewrittenMiBPerSecond: 0 };
    assert.equal(bootedGuestMiB({ name: 'a', content, untouchedMiB: 16 }) - 176, 30);
  });
});
