import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { onlyCosting } from '../../../src/core/onlyCosting.js';

const guest = (name: string, profitBytes: number | undefined, mergeable = true) => {
  return { name, profitBytes, mergeability: { mergeable } };
};
const GUESTS = [guest('web', 4096), guest('db', -64), guest('even', 0), guest('unknown', undefined)];

function named(guests: typeof GUESTS, fullScans: number | undefined): readonly string[] {
  return onlyCosting(guests, fullScans).map(({ name }) => name);
}

describe('guests that only cost', () => {
  test('guests only cost whose records take more than merging saves, once two passes are over', () => {
    assert.deepEqual(named(GUESTS, 2), ['db']);
    assert.deepEqual(named(GUESTS, 1), []);
    assert.deepEqual(named(GUESTS, undefined), []);
  });

  test('guests that KSM may not merge any more are not counted as costing', () => {
    assert.deepEqual(named([guest('vault', -64, false)], 9), []);
  });
});
