import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GuestReply } from '../../../../src/api/replies.js';
import { OBSTACLES, type Obstacle } from '../../../../src/core/mergeability.js';
import type { GuestOffer } from '../../../../src/cockpit/samepagectl.js';
import { arranged, rowOf } from '../../../../src/cockpit/model/guests.js';

const GUEST: GuestReply = {
  ...{ name: 'web', id: 'u1', residentBytes: 10, configuredBytes: 20, freedBytes: 3, manager: 'libvirt' },
  ...{ mergeable: true, obstacles: [], mergedBytes: 5, profitBytes: 4, vmId: undefined },
};

describe('a guest in the table', () => {
  test("a guest in the page's table saves its profit and what splits freed of it", () => {
    assert.equal(rowOf(GUEST, '').savedBytes, 7);
    assert.equal(rowOf({ ...GUEST, profitBytes: undefined }, '').savedBytes, undefined);
  });

  test("a guest in the page's table has a reason for every obstacle", () => {
    for (const obstacle of Object.keys(OBSTACLES) as Obstacle[]) {
      const { mergeable } = rowOf({ ...GUEST, mergeable: false, obstacles: [obstacle] }, '');
      assert.deepEqual(
        [mergeable.tone, mergeable.why.length, mergeable.why[0] === undefined],
        ['no', 1, false],
        obstacle,
      );
    }
  });

  test("a guest in the page's table is warned of where KSM_FORBID_GUESTS means it and KSM can merge it", () => {
    assert.equal(rowOf(GUEST, 'db*').mergeable.tone, 'yes');
    assert.equal(rowOf(GUEST, 'db*, w?b').mergeable.tone, 'warning');
    const shown = { ...GUEST, name: 'vault (104)', plainName: 'vault' };
    assert.equal(rowOf(shown, 'vault').mergeable.tone, 'warning');
  });

  test("a guest in the page's table is what root sees of it, and says what its next start changes", () => {
    const takenBack = { mergeability: { mergeable: false, obstacles: ['taken back' as const] } };
    const why = (offer: GuestOffer) => rowOf(GUEST, '', offer).mergeable.why;
    assert.equal(rowOf(GUEST, '', takenBack).mergeable.tone, 'no');
    assert.deepEqual(why({ ...takenBack, allowedNext: false }), ['QEMU has withdrawn its memory from KSM']);
    assert.equal(why({ ...takenBack, allowedNext: true }).at(-1), 'allowed from its next start on');
    assert.deepEqual(why({ allowedNext: true }), []);
    assert.deepEqual(why({ allowedNext: false }), ['forbidden from its next start on']);
  });

  test('a guest whose merging the daemon does not tell is unknown, and cannot be changed from the page', () => {
    const { mergeable, isLibvirts } = rowOf({ ...GUEST, mergeable: undefined, manager: undefined }, '*');
    assert.deepEqual([mergeable.tone, isLibvirts], ['unknown', false]);
  });
});

describe('the order of the guests', () => {
  const row = (name: string, savedBytes: number | undefined) => ({ ...rowOf({ ...GUEST, name }, ''), savedBytes });
  const rows = [row('web-10', 5), row('web-9', undefined), row('DB', 9)];
  const names = (...args: Parameters<typeof arranged> extends [unknown, ...infer Rest] ? Rest : never) =>
    arranged(rows, ...args).map(({ name }) => name);

  test('guests ordered by a figure have what is unknown last, in both directions', () => {
    assert.deepEqual(names('', { column: 'saved', descending: true }), ['DB', 'web-10', 'web-9']);
    assert.deepEqual(names('', { column: 'saved', descending: false }), ['web-10', 'DB', 'web-9']);
  });

  test('guests ordered by name have numbers in names ordered as numbers', () => {
    assert.deepEqual(names('', { column: 'name', descending: false }), ['DB', 'web-9', 'web-10']);
  });

  test('a search for a text finds the guests whose names have it, in any case', () => {
    assert.deepEqual(names(' db ', { column: 'name', descending: false }), ['DB']);
  });
});
