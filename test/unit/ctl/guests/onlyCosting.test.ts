import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeOnlyCosting } from '../../../../src/ctl/guests/onlyCosting.js';

test('guests that only cost are named with the command that takes one out', () => {
  assert.equal(
    describeOnlyCosting(["bob's"]),
    "bob's only costs: KSM's records take more memory than merging saves there; samepagectl guests forbid --now -- 'bob'\\''s' takes it out",
  );
  const many = describeOnlyCosting(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  assert.match(many, /^a, b, c, d, e, f and 1 more only cost: .* forbid --now -- NAME takes a guest out$/);
});
