import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ksmtunedPolicy } from '../../../../../src/core/policies/ksmtuned/policy.js';
import { type KsmtunedOptions } from '../../../../../src/core/policies/ksmtuned/options.js';
import {
  KSMTUNED_DEFAULTS,
  hostOf,
  sampleOf,
  npagesOf,
  ksmtunedMemory,
} from '../../../../support/examples/examples.js';
import { type Host, cases } from '../../../../support/examples/ksmtunedCases.js';

function decide({ totalKb, freeKb, committedKb }: Host, npages: number, options: KsmtunedOptions) {
  const sample = sampleOf({ memory: hostOf(totalKb, freeKb, committedKb) });
  const [memory, decision] = ksmtunedPolicy(options).decide(ksmtunedMemory(npages), sample, []);
  return { memory, decision };
}

const always = (options: KsmtunedOptions): KsmtunedOptions => ({ ...options, when: 'always' });
const PLENTY: Host = { totalKb: 16777216, freeKb: 15 * 1024 ** 2, committedKb: 512 * 1024 };

describe('KSM_WHEN=always', () => {
  test('KSM_WHEN=always never stops', () => {
    fc.assert(
      fc.property(cases, fc.nat(4294967295), ({ chosen, host }, npages) => {
        const { decision } = decide(host, npages, always(chosen));
        assert.equal(decision.settings.run, 1, decision.sentence);
      }),
    );
  });

  test('KSM_WHEN=always decides word for word as KSM_WHEN=needed does where that merges', () => {
    fc.assert(
      fc.property(cases, fc.nat(4294967295), ({ chosen, host }, npages) => {
        const needed = decide(host, npages, chosen);
        fc.pre(needed.decision.settings.run === 1);
        // What would end the merging is another matter: nothing would.
        const { memory, decision } = decide(host, npages, always(chosen));
        const change = 'nothing: with KSM_WHEN=always it never stops';
        assert.deepEqual(decision.working, { ...needed.decision.working, change });
        assert.deepEqual({ memory, decision: { ...decision, working: needed.decision.working } }, needed);
      }),
    );
  });

  test('KSM_WHEN=always decays as with free memory where KSM_WHEN=needed rests', () => {
    fc.assert(
      fc.property(cases, fc.nat(4294967295), ({ chosen, host }, npages) => {
        fc.pre(decide(host, npages, chosen).decision.settings.run === 0);
        const { memory, decision } = decide(host, npages, always(chosen));
        const { pagesMin, pagesMax, pagesDecay } = chosen;
        const pages = Math.min(Math.max(npages + pagesDecay, pagesMin), pagesMax);
        assert.equal(decision.settings.pagesToScan, pages);
        assert.equal(npagesOf(memory), pages);
        assert.equal(decision.reason, 'always');
      }),
    );
  });

  test('KSM_WHEN=always says why it merges with memory to spare', () => {
    const { decision } = decide(PLENTY, 500, always(KSMTUNED_DEFAULTS));
    assert.equal(
      decision.sentence,
      'guests use 512.0 MiB + 3.2 GiB reserve < 16.0 GiB and free 15.0 GiB > 3.2 GiB: ' +
        'merging anyway (KSM_WHEN=always), slower by 50 (450 pages every 10 ms)',
    );
  });

  test('KSM_WHEN=always comes down to the least pace on an idle host, and stays there', () => {
    let npages = 200;
    const paces: (number | undefined)[] = [];
    for (let looks = 0; looks < 5; looks += 1) {
      const { memory, decision } = decide(PLENTY, npages, always(KSMTUNED_DEFAULTS));
      paces.push(decision.settings.pagesToScan);
      npages = npagesOf(memory) ?? Number.NaN;
    }
    assert.deepEqual(paces, [150, 100, 64, 64, 64]);
  });
});
