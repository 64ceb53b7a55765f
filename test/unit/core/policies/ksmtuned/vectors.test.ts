import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as v from 'valibot';
import type { KsmState } from '../../../../../src/core/ksm.js';
import type { PolicyMemory } from '../../../../../src/core/policy.js';
import { IDLE_KSM, hostOf, sampleOf, planFrom, npagesOf } from '../../../../support/examples/examples.js';

const CONF_KEYS = [
  'KSM_SLEEP_MSEC',
  'KSM_NPAGES_BOOST',
  'KSM_NPAGES_DECAY',
  'KSM_NPAGES_MIN',
  'KSM_NPAGES_MAX',
  'KSM_THRES_COEF',
  'KSM_THRES_CONST',
] as const;

/** What the real script (Debian's ksmtuned 4.20150326) had written after each step; kB throughout. */
const Vectors = v.object({
  scenarios: v.array(
    v.object({
      name: v.string(),
      mem_total_kb: v.number(),
      conf: v.record(v.picklist(CONF_KEYS), v.number()),
      steps: v.array(
        v.object({
          committed_kb: v.number(),
          free_kb: v.number(),
          out: v.object({
            run: v.number(),
            pages_to_scan: v.number(),
            sleep_millisecs: v.number(),
            npages_internal: v.number(),
            adjust_rc: v.number(),
          }),
        }),
      ),
    }),
  ),
});
type Scenario = v.InferOutput<typeof Vectors>['scenarios'][number];
type Outcome = Scenario['steps'][number]['out'];

const { scenarios } = v.parse(Vectors, JSON.parse(readFileSync('fixtures/vectors/ksmtuned-vectors.json', 'utf8')));

/**
 * The one place where we do otherwise, on purpose. With 2 TiB free, mawk (Debian's awk) prints the sum as 2.14748e+09, the
 * shell's `[ 2.14748e+09 -gt ... ]` fails, and the script falls through to start merging. Nothing is short there: we stop,
 * as the script does one kB below, so that the kernel stays as the first step left it.
 */
const DEVIATION = {
  scenario: '3TiB mawk overflow',
  step: 1,
  script: { run: 1, pages_to_scan: 64, sleep_millisecs: 10, npages_internal: 64, adjust_rc: 0 },
  ours: { run: 0, pages_to_scan: 100, sleep_millisecs: 20, npages_internal: 0, adjust_rc: 1 },
} as const;

describe('the ksmtuned policy decides as the real script did', () => {
  test('the vectors of the ksmtuned script have 15 scenarios, each with steps', () => {
    assert.equal(scenarios.length, 15);
    assert.deepEqual(
      scenarios.filter(({ steps }) => steps.length === 0),
      [],
    );
  });

  test('the ksmtuned script still does what samepaged deviates from', () => {
    const scenario = scenarios.find(({ name }) => name === DEVIATION.scenario);
    assert.deepEqual(scenario?.steps[DEVIATION.step]?.out, DEVIATION.script);
  });

  for (const scenario of scenarios) {
    test(`the policy ksmtuned decides as the real script did: ${scenario.name}`, () => {
      const expected = scenario.steps.map(({ out }, step) =>
        scenario.name === DEVIATION.scenario && step === DEVIATION.step ? DEVIATION.ours : out,
      );
      assert.deepEqual(replay(scenario), expected);
    });
  }
});

/** The scenario by our policy: each decision's settings are taken over by the kernel of the next step. */
function replay({ mem_total_kb, conf, steps }: Scenario): Outcome[] {
  const texts = Object.fromEntries(Object.entries(conf).map(([key, value]) => [key, String(value)]));
  const { policy } = planFrom(texts);
  let memory: PolicyMemory | undefined;
  let ksm: KsmState = IDLE_KSM;
  return steps.map(({ committed_kb, free_kb }) => {
    const sample = sampleOf({ ksm, memory: hostOf(mem_total_kb, free_kb, committed_kb) });
    const [next, { reason, settings }] = policy.decide(memory, sample, [{ kind: 'timer' }]);
    memory = next;
    ksm = { ...ksm, ...settings };
    return {
      run: ksm.run,
      pages_to_scan: ksm.pagesToScan,
      sleep_millisecs: ksm.sleepMillisecs,
      npages_internal: npagesOf(next) ?? NaN,
      adjust_rc: reason === 'enough-memory' ? 1 : 0,
    };
  });
}
