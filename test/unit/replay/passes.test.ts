import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HistorySample } from '../../../src/core/history/record.js';
import { likenessUnknown } from '../../../src/replay/passes.js';
import { splitRecord } from '../../../src/replay/segments.js';
import type { TimedStep } from '../../../src/simulation/step.js';
import { planFrom } from '../../support/examples/examples.js';
import { FROM, MINUTE, recordOf, start, starts } from '../../support/simulation/replayHost.js';

const PAGES = 1_000_000;

/** Two guests with PAGES pages; one sample a minute. */
function samples(parts: readonly Partial<HistorySample>[]): string | undefined {
  const records = parts.map((part, minute): HistorySample => {
    return {
      ...{ kind: 'sample', atMillis: FROM + minute * MINUTE, savedBytes: 0, freedBytes: 0, freeBytes: 1 },
      ...{ totalBytes: 64 * 1024 ** 3, committedBytes: PAGES * 4096, guestCount: 2, run: 1, profitBytes: 0 },
      ...{ ksmdCpuNanos: undefined, pagesScanned: undefined, ...part },
    };
  });
  return likenessUnknown(splitRecord(records));
}

const scanned = (...passes: readonly number[]) => passes.map((pass) => ({ pagesScanned: pass * PAGES }));

describe('how alike guests are', () => {
  test('how alike guests are is shown by a record with two passes', () => {
    assert.equal(samples(scanned(0, 1, 2)), undefined);
  });

  test('how alike guests are is not known before two passes, and the passes are told', () => {
    assert.match(
      samples(scanned(7, 8, 8.57)) ?? '',
      /^a page needs 2 passes of ksmd, .* ksmd got no further than 1\.5$/,
    );
    assert.match(samples(scanned(7, 7)) ?? '', / ksmd made none$/);
  });

  test('how alike guests are is not known where guests come and go all the time', () => {
    const guests = [2, 3, 2, 3, 2];
    const churn = scanned(0, 1, 2, 3, 4).map((part, index) => ({ ...part, guestCount: guests[index] ?? 0 }));
    assert.match(samples(churn) ?? '', / between one start or stop of a guest and the next /);
  });

  test('how alike guests are is judged by what was saved where the kernel counts no scanned pages', () => {
    assert.match(
      samples([{}, {}]) ?? '',
      /^the kernel did not report the pages that ksmd scanned, and nothing was saved$/,
    );
    assert.equal(samples([{}, { savedBytes: 1 }]), undefined);
  });

  test('how alike guests are does not matter without guests', () => {
    assert.equal(samples([{ committedBytes: 0, guestCount: 0, pagesScanned: 0 }]), undefined);
  });

  test('how alike guests are is not known of a host whose guests are replaced faster than ksmd passes over them', () => {
    const content = { commonMiB: 1024, ownMiB: 512 };
    const later = Array.from({ length: 60 }, (_unused, index): readonly TimedStep[] => [
      { atMillis: index * 11_000 + 1, step: { kind: 'stop', guest: `guest${index + 1}` } },
      { atMillis: index * 11_000 + 5000, step: start(`guest${index + 9}`, content) },
    ]).flat();
    const plan = planFrom({ KSM_POLICY: 'adaptive', KSM_WHEN: 'always' });
    const record = recordOf({ host: { memoryMiB: 24 * 1024 }, plan, before: starts(8, content), later, minutes: 11 });
    assert.match(likenessUnknown(splitRecord(record)) ?? '', /^a page needs 2 passes of ksmd/);
  });
});
