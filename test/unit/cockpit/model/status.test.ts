import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DaemonProperties } from '../../../../src/api/replies.js';
import { unmergeObstacle } from '../../../../src/core/hold.js';
import { REASONS } from '../../../../src/core/decision.js';
import { savingsOf } from '../../../../src/core/savings.js';
import { answerOf, figuresOf, unmergeFits } from '../../../../src/cockpit/model/status.js';
import { GIB, MIB, NOW, PROPERTIES, REPLY } from '../../../support/examples/ctlExamples.js';

const plainSpaces = (text: string) => text.replaceAll('\u00a0', ' ');
const figure = (properties: DaemonProperties, label: string) => {
  const found = figuresOf(properties).find((each) => each.label === label);
  return found === undefined
    ? undefined
    : { ...found, value: plainSpaces(found.value), detail: plainSpaces(found.detail) };
};

describe('the answer on top of the page', () => {
  test("the page's answer is whether ksmd merges, with the daemon's own sentence", () => {
    const { title, tone, sentence } = answerOf(PROPERTIES, NOW);
    assert.deepEqual([title, tone, sentence], ['Memory is being merged', 'merging', PROPERTIES.lastRetune.sentence]);
  });

  test("the page's answer has a sentence for every reason of a decision", () => {
    for (const reason of Object.keys(REASONS)) {
      const { notes } = answerOf({ ...PROPERTIES, hold: '', lastRetune: { ...REPLY, reason } }, NOW);
      assert.ok((notes[0] ?? '').endsWith('.'), reason);
    }
  });

  test("the page's answer of a newer daemon is without the reason that this page does not know", () => {
    const { notes, title } = answerOf(
      { ...PROPERTIES, lastRetune: { sentence: 'so', triggers: [], changes: [], problems: [], reason: 'new' } },
      NOW,
    );
    assert.deepEqual([notes, title], [[], 'Memory is being merged']);
  });

  test("the page's answer says how long a hold lasts", () => {
    const held = { ...PROPERTIES, run: 0, hold: 'paused', holdUntilUSec: (NOW + 60_000) * 1000 };
    assert.match(
      answerOf(held, NOW).notes.join(' '),
      /^Paused by hand\. This holds until .*, or until somebody resumes\.$/,
    );
    assert.match(answerOf({ ...held, holdUntilUSec: 0 }, NOW).notes.join(' '), /This holds until somebody resumes\.$/);
  });

  test("the page's answer says where a burst is", () => {
    const lastRetune = { ...REPLY, reason: 'burst', stage: 'first-pass', firstSavingsInUSec: 40e6 };
    const { notes } = answerOf({ ...PROPERTIES, lastRetune }, NOW);
    assert.equal(notes.at(-1), 'Burst: first pass; the first pages merge in about 40 sec.');
    const waiting = { ...REPLY, reason: 'guests-settling', stage: 'waiting', endInUSec: 40e6 };
    const waits = answerOf({ ...PROPERTIES, lastRetune: waiting }, NOW).notes;
    assert.equal(waits.at(-1), 'Burst: waiting for guests, about 40 sec at most.');
  });

  test("the page's answer is that the last retune failed, where it did", () => {
    const { title, sentence } = answerOf({ ...PROPERTIES, lastRetune: { ...REPLY, failure: 'no memory' } }, NOW);
    assert.deepEqual([title, sentence], ['The last retune failed', 'no memory']);
  });
});

describe('the figures of the page', () => {
  test("the page's headroom is what stays available once everything is unmerged", () => {
    const properties = { ...PROPERTIES, savedBytes: 4 * GIB, availableBytes: 10 * GIB };
    assert.deepEqual(
      [figure(properties, 'Headroom')?.value, figure(properties, 'Headroom')?.warning?.colour],
      ['6.0 GiB', undefined],
    );
    const short = { ...properties, savedBytes: 12 * GIB };
    assert.deepEqual(
      [figure(short, 'Headroom')?.value, figure(short, 'Headroom')?.warning?.colour],
      ['2.0 GiB short', 'red'],
    );
    assert.equal(figure({ ...properties, savedBytes: 9.5 * GIB }, 'Headroom')?.warning?.colour, 'orange');
  });

  test('the page marks a loss, and shows unknown CPU time as unknown', () => {
    const loss = figure({ ...PROPERTIES, profitBytes: -70 * MIB, ksmdCpuPercent: null }, 'Cost');
    assert.deepEqual([loss?.value, loss?.warning?.colour], ['unknown', 'orange']);
    assert.match(loss?.detail ?? '', /profit -70\.0 MiB$/);
  });

  test("the page's guard is the daemon's", () => {
    for (const savedPages of [0, 1, 89, 90, 91, 200]) {
      const ksm = { run: 1, pagesToScan: 1, sleepMillisecs: 1, pagesShared: 1, pagesSharing: savedPages };
      const memory = {
        ...{ memTotalBytes: 1000, memFreeBytes: 100, memAvailableBytes: 100, buffersBytes: 0, cachedBytes: 0 },
        ...{ shmemBytes: 0, swapTotalBytes: 0, swapFreeBytes: 0, hugetlbBytes: 0, reclaimableArcBytes: 0 },
      };
      const daemons = unmergeObstacle(savingsOf(ksm, 1), memory);
      const page = unmergeFits({ ...PROPERTIES, savedBytes: savedPages, availableBytes: 100 });
      assert.equal(page, daemons === undefined, String(savedPages));
    }
  });
});
