import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planOf } from '../../../../src/config/plan.js';
import { hostOf, sampleOf, valuesOf } from '../../../support/examples/examples.js';

const SHORT = sampleOf({ memory: hostOf(16_777_216, 1_000_000, 16_000_000) });

function policyNamed(name: string) {
  return planOf({ because: { kind: 'start' }, values: valuesOf({ KSM_POLICY: name }), hold: undefined }, undefined)
    .policy;
}

describe('a policy takes the memory of another policy for none', () => {
  const names = ['ksmtuned', 'adaptive', 'advisor'];
  for (const name of names) {
    for (const other of names.filter((candidate) => candidate !== name)) {
      test(`the policy ${name} takes the memory of ${other} for none`, () => {
        const [memory] = policyNamed(other).decide(undefined, SHORT, [{ kind: 'start' }]);
        const reload = [{ kind: 'reload' }] as const;
        assert.deepEqual(
          policyNamed(name).decide({ ...memory, policy: 'unknown' }, SHORT, reload),
          policyNamed(name).decide(undefined, SHORT, reload),
        );
        assert.equal(
          policyNamed(name).decide(memory, SHORT, reload)[1].sentence,
          policyNamed(name).decide(undefined, SHORT, reload)[1].sentence,
        );
      });
    }
  }
});
