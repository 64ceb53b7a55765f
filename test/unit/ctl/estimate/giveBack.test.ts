import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { savingsOf } from '../../../../src/core/savings.js';
import type { Figures } from '../../../../src/ctl/estimate/figures.js';
import { giveBack } from '../../../../src/ctl/estimate/giveBack.js';
import { IDLE_KSM } from '../../../support/examples/examples.js';
import { HostTree } from '../../../support/hostTree.js';

const PAGE = 4096;
const MIB = 1024 ** 2;
const MUCH_MIB = 1024 ** 2;

function figures(sharedMiB: number, guests: Readonly<Record<number, number | undefined>> = {}): Figures {
  const ksm = { ...IDLE_KSM, pagesSharing: (sharedMiB * MIB) / PAGE };
  return {
    ...{ savings: savingsOf(ksm, PAGE), availableBytes: 0, ksmdCpuNanos: undefined },
    guests: Object.entries(guests).map(([pid, mergedMiB]) => ({
      ...{ pid: Number(pid), name: `guest${pid}`, residentBytes: 1024 * MIB, freedBytes: 0 },
      mergedBytes: mergedMiB === undefined ? undefined : mergedMiB * MIB,
    })),
  };
}

/** What was done, in order, and what is said of it; guests 1, 2 and 3 run. */
async function given(before: Figures, after: Figures): Promise<{ done: readonly string[]; said: readonly string[] }> {
  using tree = HostTree.create();
  const done: string[] = [];
  const said = await giveBack(
    { progress: () => undefined },
    tree.root,
    {
      unmerge: () => {
        done.push('run=2');
        return Promise.resolve();
      },
    },
    before,
    after,
    (chosen) => {
      done.push(...[1, 2, 3].filter(chosen).map(String));
      return Promise.resolve(['guest by guest']);
    },
  );
  return { done, said };
}

describe('what a burst has merged', () => {
  test('what a burst of estimate merged is unmerged at once where nothing was merged before', async () => {
    const { done, said } = await given(figures(0), figures(64));
    assert.deepEqual(done, ['run=2']);
    assert.deepEqual(said, ['Everything is unmerged again.']);
  });

  test('what estimate merged is unmerged guest by guest, then the rest, where it may not fit into memory', async () => {
    const { done, said } = await given(figures(0, { 1: 0, 2: 0, 3: 0 }), figures(MUCH_MIB));
    assert.deepEqual(done, ['1', '2', '3', 'run=2']);
    assert.deepEqual(said, ['guest by guest', 'What was left is unmerged again.']);
  });

  test('what estimate merged stays in guests that had merged pages before, and in those of which nobody knows', async () => {
    const { done, said } = await given(figures(64, { 1: 64, 2: 0, 3: undefined }), figures(128));
    assert.deepEqual(done, ['2']);
    assert.deepEqual(said, ['guest by guest', '2 guests had merged pages before: what the burst added to them stays.']);
  });

  test('a guest that came during the burst of estimate is unmerged', async () => {
    const { done } = await given(figures(64, { 1: 64, 2: 64 }), figures(128));
    assert.deepEqual(done, ['3']);
  });
});
