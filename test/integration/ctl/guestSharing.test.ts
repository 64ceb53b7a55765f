import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { differences, forbidsMerging } from '../../../src/libvirt/domainXml.js';
import { testGuestPath } from '../../support/dbus/testDriver.js';
import { SharingHost } from '../../support/sharingHost.js';

describe('samepagectl guests forbid and allow', { concurrency: 4 }, () => {
  for (const [what, backing, allowedText] of [
    ['without <memoryBacking>', '', 'KSM may merge its memory from its next start on'],
    [
      'with other <memoryBacking>',
      `<memoryBacking><hugepages/><locked/></memoryBacking>`,
      'merging is allowed, but KSM cannot merge its memory: hugepages, KSM merges pages of the base size only; this is in hugetlbfs',
    ],
  ] as const) {
    it(`guests forbid and guests allow of a definition ${what} end in the same document`, async () => {
      await using host = await SharingHost.start();
      const path = testGuestPath('web');
      const before = await host.define('web', backing);
      assert.ok(before.includes('s3cret&amp;') && before.includes('<!-- kept -->'), before);

      const forbidden = await host.ctl('guests', 'forbid', 'web');
      assert.deepEqual(forbidden, {
        status: 0,
        stdout: 'guest web: KSM may not merge its memory from its next start on\n',
        stderr: '',
      });
      const between = await host.definitions.persistentXml(path);
      assert.equal(forbidsMerging(between), true);
      assert.deepEqual(differences(before, between), []);

      const again = await host.ctl('guests', 'forbid', 'web');
      assert.deepEqual(again, {
        status: 0,
        stdout: 'guest web: nothing to change, KSM may not merge its memory\n',
        stderr: '',
      });
      assert.equal(await host.definitions.persistentXml(path), between);

      const allowed = await host.ctl('guests', 'allow', 'web');
      assert.deepEqual(allowed, {
        status: 0,
        stdout: `guest web: ${allowedText}\n`,
        stderr: '',
      });
      assert.equal(await host.definitions.persistentXml(path), before);
    });
  }

  it('guests forbid of a running guest counts from its next start, and says so until then', async () => {
    await using host = await SharingHost.start();
    await host.define('web');
    await host.domain('web', 'Create');
    const pending = /from its next start on: shut it down and start it; a reboot from inside is not enough\n$/;
    assert.match((await host.ctl('guests', 'forbid', 'web')).stdout, pending);
    const again = await host.ctl('guests', 'forbid', 'web');
    assert.match(again.stdout, /^guest web: nothing to change, KSM may not merge its memory from its next start on: /);
    assert.match((await host.ctl('guests')).stdout, /^web: from its next start on KSM may not merge its memory$/m);

    await host.domain('web', 'Destroy');
    await host.domain('web', 'Create');
    const restarted = await host.ctl('--json', 'guests', 'forbid', 'web');
    assert.deepEqual(JSON.parse(restarted.stdout), {
      guest: 'web',
      forbidden: true,
      changed: false,
      running: true,
      pending: false,
      saved: false,
      obstacles: [],
    });

    await host.domain('web', 'ManagedSave');
    const saved = await host.ctl('guests', 'allow', 'web');
    assert.match(saved.stdout, /, but it has a saved state to go on from: virsh managedsave-remove -- web\n$/);
  });
});
