import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ConfigError, loadConfig, requirePolicy } from '../../../src/config/load.js';
import { KsmDirectory } from '../../../src/host/ksm.js';
import { policyObstacle } from '../../../src/config/plan.js';
import { HostTree } from '../../support/hostTree.js';

describe('a policy works on', () => {
  const hosts = { 'kernel-5.10': false, 'kernel-6.1': false, 'kernel-6.12': true, numa: true };
  for (const [host, hasAdvisor] of Object.entries(hosts)) {
    test(`the kernel of ${host} can have ${hasAdvisor ? 'every policy' : 'every policy but advisor, and it is said what can'}`, () => {
      const settings = new KsmDirectory(join('fixtures/hosts', host)).readSettings();
      for (const policy of ['ksmtuned', 'adaptive'] as const) assert.equal(policyObstacle(policy, settings), undefined);
      const obstacle = policyObstacle('advisor', settings);
      if (hasAdvisor) assert.equal(obstacle, undefined);
      else assert.match(obstacle ?? '', /advisor_mode, Linux 6\.8.*; adaptive works here$/);
    });
  }
});

describe('a configuration whose policy cannot work', () => {
  function required(files: Readonly<Record<string, string>>, obstacle: string | undefined) {
    using tree = HostTree.create();
    for (const [path, text] of Object.entries(files)) tree.write(path, text);
    const config = loadConfig(join(tree.root, 'etc/ksmtuned.conf'));
    try {
      return requirePolicy(config, obstacle) === config;
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.status, 78);
      return error.message.replaceAll(tree.root, 'HOST');
    }
  }
  const chosen = { 'etc/ksmtuned.conf': 'DEBUG=1\nKSM_POLICY=advisor\n' };

  test('a policy that this kernel cannot have is refused with the place where it was chosen', () => {
    assert.equal(required(chosen, 'not here'), 'HOST/etc/ksmtuned.conf:2: KSM_POLICY=advisor: not here');
  });

  test('a policy that this kernel cannot have is refused in a drop-in too', () => {
    const files = { ...chosen, 'etc/ksmtuned.conf.d/10.conf': '# why not\n\nKSM_POLICY=advisor\n' };
    assert.equal(required(files, 'not here'), 'HOST/etc/ksmtuned.conf.d/10.conf:3: KSM_POLICY=advisor: not here');
  });

  test('a policy that this kernel can have is taken', () => {
    assert.equal(required(chosen, undefined), true);
  });
});
