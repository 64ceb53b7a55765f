import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ksmd } from '../../../src/host/ksmd.js';
import { HostTree } from '../../support/hostTree.js';

const KERNEL_THREAD = 0x208040;

/** A host whose ksmd has this policy (a number of sched(7)) and nice value. */
function hostWith(policy: number, nice = 5, flags = KERNEL_THREAD): HostTree {
  const tree = HostTree.create();
  tree.addKsmd({ policy, nice, flags });
  return tree;
}

describe("ksmd's scheduling class", () => {
  const rows: [what: string, host: () => HostTree, expected: string | undefined][] = [
    ["the kernel's own", () => hostWith(0), 'other 5'],
    ['with a nice value below 0', () => hostWith(0, -3), 'other -3'],
    ['SCHED_BATCH', () => hostWith(3), 'batch 5'],
    ['SCHED_IDLE', () => hostWith(5), 'idle 5'],
    ['a real-time policy is left alone', () => hostWith(1), undefined],
    ["anybody's program of that name is none", () => hostWith(0, 0, 0x400000), undefined],
    ['no ksmd, as in a container', () => HostTree.create(), undefined],
  ];
  for (const [what, host, expected] of rows) {
    test(`ksmd's scheduling class is read: ${what}`, () => {
      using tree = host();
      assert.equal(new Ksmd(tree.root).sched(), expected);
    });
  }

  test('a scheduling class of ksmd that is set shows', async () => {
    using tree = hostWith(0);
    const ksmd = new Ksmd(tree.root);
    await ksmd.setSched('idle 5');
    assert.equal(ksmd.sched(), 'idle 5');
    await ksmd.setSched('other 19');
    assert.equal(ksmd.sched(), 'other 19');
  });

  test("a refusal to set ksmd's scheduling class is told, and from then on it is left alone", async () => {
    using tree = hostWith(0);
    const ksmd = new Ksmd(tree.root);
    assert.equal(ksmd.sched(), 'other 5');
    tree.remove(`proc/${tree.ksmdPid}`);
    await assert.rejects(ksmd.setSched('idle 5'), /^Error: ksmd's scheduling cannot be set to idle 5: it has gone/);
    tree.addKsmd({ policy: 0 });
    assert.equal(ksmd.sched(), undefined);
  });

  test('a task that waits longer than for a batch has ksmd hurried, and its scheduling class put back after', async () => {
    using tree = hostWith(0);
    const ksmd = new Ksmd(tree.root);
    await ksmd.setSched('idle 5');
    const seen: (string | undefined)[] = [];
    const wait = (millis: number) => async () => {
      await new Promise((resolve) => setTimeout(resolve, millis));
      seen.push(ksmd.sched());
    };
    await ksmd.hurried(wait(1));
    await ksmd.hurried(wait(400));
    assert.deepEqual([...seen, ksmd.sched()], ['idle 5', 'other 0', 'idle 5']);
  });

  test('nobody hurries a ksmd whose scheduling class the host set', async () => {
    using tree = hostWith(5);
    const ksmd = new Ksmd(tree.root);
    await ksmd.hurried(async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal(ksmd.sched(), 'idle 5');
    });
  });
});
