import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KeyName } from '../../../src/config/keys.js';
import type { KsmSettings } from '../../../src/core/ksm.js';
import { planOf } from '../../../src/config/plan.js';
import { IDLE_KSM, hostOf, sampleOf, valuesOf } from '../../support/examples/examples.js';

const START = { because: { kind: 'start' }, hold: undefined } as const;

function settingsOf(texts: Partial<Record<KeyName, string>>, maxKernelPages?: number): KsmSettings {
  return planOf({ ...START, values: valuesOf(texts) }, maxKernelPages).settings;
}

describe('host settings come from the keys', () => {
  const rows: { name: string; texts: Partial<Record<KeyName, string>>; settings: KsmSettings }[] = [
    { name: 'none unless told', texts: {}, settings: {} },
    { name: '0 is a value', texts: { KSM_MERGE_ACROSS_NODES: '0' }, settings: { mergeAcrossNodes: 0 } },
    { name: 'an empty value is none', texts: { KSM_MERGE_ACROSS_NODES: '' }, settings: {} },
    {
      name: 'all of them',
      texts: {
        KSM_MERGE_ACROSS_NODES: '1',
        KSM_USE_ZERO_PAGES: '1',
        KSM_SMART_SCAN: '0',
        KSM_MAX_PAGE_SHARING: '512',
        KSM_STABLE_NODE_CHAINS_PRUNE_MILLISECS: '3000',
        KSM_MAX_KERNEL_PAGES: '100000',
      },
      settings: {
        mergeAcrossNodes: 1,
        useZeroPages: 1,
        smartScan: 0,
        maxPageSharing: 512,
        stableNodeChainsPruneMillisecs: 3000,
        maxKernelPages: 100000,
      },
    },
  ];
  for (const { name, texts, settings } of rows) {
    test(`host settings of the configuration: ${name}`, () => {
      assert.deepEqual(settingsOf(texts), settings);
    });
  }

  test('max_kernel_pages is half of memory where the kernel has it, unless told; 0 is no limit', () => {
    assert.deepEqual(settingsOf({}, 2097152), { maxKernelPages: 2097152 });
    assert.deepEqual(settingsOf({ KSM_MAX_KERNEL_PAGES: '' }, 2097152), { maxKernelPages: 2097152 });
    assert.deepEqual(settingsOf({ KSM_MAX_KERNEL_PAGES: '5000' }, 2097152), { maxKernelPages: 5000 });
    assert.deepEqual(settingsOf({ KSM_MAX_KERNEL_PAGES: '0' }, 2097152), { maxKernelPages: 0 });
  });
});

describe('the plan', () => {
  test('the plan has the reason of the intent', () => {
    const because = { kind: 'manual', by: 'D-Bus Pause' } as const;
    assert.equal(planOf({ because, values: valuesOf(), hold: undefined }, undefined).because, because);
  });

  test('the plan keeps its settings and its times under a hold, whose word it takes for merging', () => {
    const values = valuesOf({ KSM_MERGE_ACROSS_NODES: '0', KSM_MONITOR_INTERVAL: '7' });
    const free = planOf({ ...START, values }, undefined);
    const held = planOf({ ...START, values, hold: { kind: 'unmerged' } }, undefined);
    assert.deepEqual({ ...held, policy: '' }, { ...free, policy: '' });
    const [, decision] = held.policy.decide(undefined, sampleOf(), []);
    assert.deepEqual(decision.settings, { run: 2 });
  });

  test('the plan has the KSM_WHEN of the configuration', () => {
    const runOf = (when: string) => {
      const { policy } = planOf({ ...START, values: valuesOf({ KSM_WHEN: when }) }, undefined);
      return policy.decide(undefined, sampleOf(), [])[1].settings.run;
    };
    assert.deepEqual([runOf('needed'), runOf('always')], [0, 1]);
  });

  describe('has the policy of KSM_POLICY', () => {
    const short = {
      memory: hostOf(16777216, 1000000, 0),
      ksm: { ...IDLE_KSM, advisorMode: 'none' as const, smartScan: 0 },
    };
    const decisionOf = (texts: Partial<Record<KeyName, string>>) => {
      const { policy } = planOf({ ...START, values: valuesOf(texts) }, undefined);
      const [, { reason, settings, sentence }] = policy.decide(undefined, sampleOf(short), [{ kind: 'start' }]);
      return { name: policy.name, reason, settings, sentence };
    };

    test('the plan has the policy that KSM_POLICY names', () => {
      for (const [name, reason] of [
        ['ksmtuned', 'free-below-reserve'],
        ['adaptive', 'burst'],
        ['advisor', 'advised'],
      ] as const) {
        const decision = decisionOf({ KSM_POLICY: name });
        assert.deepEqual([decision.name, decision.reason, decision.settings.run], [name, reason, 1]);
      }
    });

    test('the plan has the KSM_CPU_MAX of the configuration', () => {
      assert.match(decisionOf({ KSM_POLICY: 'adaptive', KSM_CPU_MAX: '20' }).sentence, /up to 20 % of a core$/);
      assert.equal(decisionOf({ KSM_POLICY: 'advisor', KSM_CPU_MAX: '20' }).settings.advisorMaxCpu, 20);
    });

    test('the plan’s policy sets smart_scan unless KSM_SMART_SCAN does', () => {
      assert.equal(decisionOf({ KSM_POLICY: 'adaptive' }).settings.smartScan, 1);
      assert.equal('smartScan' in decisionOf({ KSM_POLICY: 'adaptive', KSM_SMART_SCAN: '0' }).settings, false);
    });
  });
});
