import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { savingsOf } from '../../../../src/core/savings.js';
import { estimatePolicy } from '../../../../src/core/policies/estimate.js';
import type { Decision } from '../../../../src/core/decision.js';
import type { Figures } from '../../../../src/ctl/estimate/figures.js';
import { estimateOf, estimateText, warningText } from '../../../../src/ctl/estimate/result.js';
import { IDLE_KSM, sampleOf } from '../../../support/examples/examples.js';

const MIB = 1024 ** 2;
const PAGE = 4096;
const mib = (count: number) => (count * MIB) / PAGE;

function figures(sharedMiB: number, guests: Figures['guests'] = [], parts: Partial<Figures> = {}): Figures {
  const ksm = {
    ...IDLE_KSM,
    pagesSharing: mib(sharedMiB),
    pagesShared: mib(sharedMiB) / 4,
    ksmZeroPages: mib(sharedMiB) / 2,
  };
  const watched = { freedBytes: (sharedMiB * MIB) / 10 };
  const savings = savingsOf(ksm, PAGE, watched);
  return { savings, availableBytes: 8192 * MIB, ksmdCpuNanos: 5e9, guests, ...parts };
}

const guest = (name: string, mergedMiB: number | undefined, pid = 7): Figures['guests'][number] => ({
  ...{ pid, name, residentBytes: 2048 * MIB, freedBytes: 0 },
  mergedBytes: mergedMiB === undefined ? undefined : mergedMiB * MIB,
});

describe('an estimate in words', () => {
  test('the estimate of a burst that is over has kinds, cost, headroom, and each guest', () => {
    const before = figures(0, [guest('web', 0), guest('db', 0, 8)], { ksmdCpuNanos: 1e9 });
    const after = figures(1024, [guest('db', 100, 8), guest('web', 1500)]);
    assert.deepEqual(estimateText(estimateOf(before, after, { end: 'over', millis: 10_000 })), [
      "Merging saves 1.6 GiB here (1.0 GiB shared, 512.0 MiB zero pages, 102.4 MiB freed by splitting huge pages); KSM's records take 20.0 MiB for it.",
      'ksmd took 4.0 s of CPU in 10 s (40 % of a core): 409.6 MiB for each second of it.',
      'The burst is over: further passes would gain nothing.',
      'Headroom: 8.0 GiB are available with the pages merged, 1.6 GiB of it from merging; a guest that writes to a merged page takes a copy of its own, so leave room for that in memory or swap.',
      '  web: 1.5 GiB merged, 73 % of its memory',
      '  db: 100.0 MiB merged, 5 % of its memory',
    ]);
  });

  test('the estimate of a burst that was cut, on a host that merged before, says so', () => {
    const before = figures(100, [guest('web', 50)]);
    const after = figures(200, [guest('web', 150), guest('new', undefined, 9)], { ksmdCpuNanos: undefined });
    const text = estimateText(estimateOf(before, after, { end: 'cut', millis: 120_000 }));
    assert.match(text[0] ?? '', /^Merging saves 160\.0 MiB here .*, more than the 160\.0 MiB from before; /);
    assert.equal(text[1], "It took 2 min; ksmd's CPU time cannot be seen here.");
    assert.equal(
      text[2],
      'The burst was cut, as its time was up: merging saves at least this much; --for gives it more time.',
    );
    assert.deepEqual(text.slice(4), [
      '  web: 150.0 MiB merged (50.0 MiB before), 7 % of its memory',
      '  new: only root can read what is merged of it (Linux 5.19 and newer)',
    ]);
  });

  test('the estimate of a burst that was interrupted before anything merged says so', () => {
    const text = estimateText(estimateOf(figures(0), figures(0), { end: 'interrupted', millis: 1000 }));
    assert.match(text[0] ?? '', /^Merging saves 0 B here; /);
    assert.match(text[2] ?? '', /as it was interrupted, before pages could merge/);
    assert.match(text[3] ?? '', /nothing of it from merging\.$/);
    assert.equal(text.at(-1), 'No guest runs.');
  });

  test('estimate says beforehand that pages are shared, for how long, and what follows', () => {
    assert.match(
      warningText(120_000, false, figures(0).savings, 3),
      /^ksmd merges equal pages of 3 guests for up to 2 min, .* side channel\. After it they are unmerged again\.$/,
    );
    assert.match(
      warningText(1000, true, figures(100).savings, 1),
      /160\.0 MiB are merged already.*stay shared after it/,
    );
  });
});

describe('the policy of an estimate', () => {
  const decision = (parts: Partial<Decision>): Decision => ({
    reason: 'burst',
    sentence: 's',
    settings: { run: 1 },
    ...parts,
  });
  const course = (decisions: readonly Decision[]) => {
    let at = -1;
    const inner = { name: 'adaptive', decide: () => [undefined, decisions[(at += 1)] ?? assert.fail()] as const };
    const policy = estimatePolicy(inner, 60_000);
    let memory: ReturnType<typeof policy.decide>[0] = undefined;
    return (monotonicMillis: number) => {
      const [next, decided] = policy.decide(memory, sampleOf({ monotonicMillis }), []);
      memory = next;
      return decided;
    };
  };

  test('the policy of an estimate merges until nothing more is to be gained, and then rests, whatever follows', () => {
    const look = course([
      decision({ nextInMillis: 500 }),
      decision({ reason: 'nothing-to-gain', settings: { run: 0 } }),
    ]);
    const first = look(1000);
    assert.deepEqual([first.reason, first.settings.run, first.nextInMillis], ['estimating', 1, 500]);
    assert.equal(look(20_000).settings.run, 0);
    const rests = look(30_000);
    assert.deepEqual([rests.settings, rests.stage], [{ run: 0 }, { name: 'done' }]);
  });

  test('the policy of an estimate rests when its time is up, and is not done then', () => {
    const look = course([decision({})]);
    look(1000);
    const { settings, stage, sentence } = look(61_000);
    assert.deepEqual([settings, stage], [{ run: 0 }, undefined]);
    assert.match(sentence, /its time is up, ksmd rests until somebody resumes$/);
  });
});
