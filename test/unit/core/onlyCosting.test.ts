import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeOnlyCosting, onlyCosting } from '../../../src/core/onlyCosting.js';

const guest = (name: string, profitBytes: number | undefined, mergeable = true) => {
  return { name, profitBytes, mergeability: { mergeable } };
};
const GUESTS = [guest('web', 4096), guest('db', -64), guest('even', 0), guest('unknown', undefined)];

function named(guests: typeof GUESTS, fullScans: number | undefined): readonly string[] {
  return onlyCosting(guests, fullScans).map(({ name }) => name);
}

describe('guests that only cost', () => {
  test('are those whose records take more than merging saves, once two passes are over', () => {
    assert.deepEqual(named(GUESTS, 2), ['db']);
    assert.deepEqual(named(GUESTS, 1), []);
    assert.deepEqual(named(GUESTS, undefined), []);
  });

  test('are not those that KSM may not merge any more', () => {
    assert.deepEqual(named([guest('vault', -64, false)], 9), []);
  });

  test('are named with the command that takes one out', () => {
    assert.equal(
      describeOnlyCosting(["bob's"]),
      "bob's only costs: KSM's records take more memory than merging saves there; samepagectl guests forbid --now -- 'bob'\\''s' takes it out",
    );
    const many = describeOnlyCosting(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    assert.match(many, /^a, b, c, d, e, f and 1 more only cost: .* forbid --now -- NAME takes a guest out$/);
  });
});
