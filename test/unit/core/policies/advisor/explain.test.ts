import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Decision } from '../../../../../src/core/decision.js';
import { ADVISED_KSM, advise, advised, calm, inLongCalm } from '../../../../support/policies/advisorHost.js';
import { GAIN, GIB, HALF, PASS, ROOMY, START, started } from '../../../../support/policies/policyHost.js';

describe('each step of the advisor explains itself', () => {
  const NEED = 'guests may use 16.0 GiB + 4.0 GiB reserve > 16.0 GiB';
  const TARGET = "the kernel's advisor aims at a pass in";
  const rows: { name: string; sentence: string; decision: () => Decision }[] = [
    {
      name: 'rest',
      decision: () => advised({ ...ROOMY, ksm: ADVISED_KSM }).look(0, {}, START),
      sentence: 'guests may use 8.0 GiB + 3.2 GiB reserve <= 16.0 GiB and free 12.0 GiB >= 3.2 GiB: not merging',
    },
    {
      name: 'an event',
      decision: () => {
        const host = advised();
        host.look(0, {}, START);
        return host.look(2000, HALF);
      },
      sentence: `${NEED}; samepaged has just started: ${TARGET} 5 s, at most 50 % of a core`,
    },
    {
      name: 'calm',
      decision: () => advise(calm(), 10_000, PASS),
      sentence: `${NEED}; nothing more to gain, 199.0 MiB saved: ${TARGET} 1 min 20 s, at most 50 % of a core`,
    },
    {
      name: 'a slow pass that brings something',
      decision: () => inLongCalm().look(10_000, GAIN),
      sentence: `${NEED}; a slow pass found pages to merge: ${TARGET} 5 s, at most 50 % of a core`,
    },
    {
      name: 'what others unmerged',
      decision: () => {
        const host = inLongCalm();
        host.changeKsm({ fullScans: 0, pagesShared: 0, pagesSharing: 0, pagesUnshared: 0 });
        return host.look(2000);
      },
      sentence: `${NEED}; what was merged has been unmerged: ${TARGET} 5 s, at most 50 % of a core`,
    },
    {
      name: 'memory that is nearly out',
      decision: () => {
        const host = inLongCalm();
        host.change({ memory: { totalBytes: 16 * GIB, freeBytes: GIB, committedBytes: 0 } });
        return host.look(10_000);
      },
      sentence: `${NEED} and free 1.0 GiB < 4.0 GiB; memory is nearly out: ${TARGET} 5 s, at most 50 % of a core`,
    },
    {
      name: 'tasks that wait for memory',
      decision: () => {
        const host = inLongCalm();
        host.change({ memoryPressurePercent: 33.3 });
        return host.look(10_000);
      },
      sentence: `${NEED}; tasks wait for memory 33 % of the time: ${TARGET} 5 s, at most 50 % of a core`,
    },
    {
      name: 'a reload from another policy, with KSM_WHEN=always',
      decision: () => advised({ ...ROOMY, ksm: ADVISED_KSM }, { when: 'always' }).look(0, {}, { kind: 'reload' }),
      sentence: `guests may use 8.0 GiB + 3.2 GiB reserve <= 16.0 GiB and free 12.0 GiB >= 3.2 GiB (KSM_WHEN=always); the policy advisor has just begun: ${TARGET} 5 s, at most 50 % of a core`,
    },
    {
      name: 'a guest that comes up',
      decision: () => {
        const host = calm();
        host.have({ a: 4 * GIB, b: 4 * GIB, c: 4 * GIB, d: 0 });
        return host.look(1000, {}, started('d'));
      },
      sentence: `${NEED}; d is still filling its memory: ${TARGET} 20 s, at most 50 % of a core`,
    },
    {
      name: 'guests with which merging begins',
      decision: () => {
        const host = advised({ ...ROOMY, ksm: ADVISED_KSM });
        host.look(0, {}, START);
        host.have({ a: GIB, b: GIB, c: 0, d: 0 });
        return host.look(1000, {}, started('c'), started('d'));
      },
      sentence: `guests may use 16.0 GiB + 3.2 GiB reserve > 16.0 GiB; memory has become short: ${TARGET} 5 s, at most 50 % of a core`,
    },
  ];
  for (const { name, sentence, decision } of rows) {
    test(`the policy advisor explains ${name}`, () => {
      assert.equal(decision().sentence, sentence);
    });
  }

  test('the policy advisor explains its working: the CPU budget and the target', () => {
    const working = advised().look(0, {}, START).working ?? assert.fail();
    assert.deepEqual(
      working.terms.slice(-2).map(({ name, value, unit }) => [name, value, unit]),
      [
        ['CPU budget', 50, 'percent'],
        ['target', 5000, 'milliseconds'],
      ],
    );
    assert.equal(working.keys.at(-1), 'KSM_CPU_MAX');
  });

  test('the policy advisor explains what was saved, while merging is needed and after', () => {
    const host = calm();
    const saved = () => host.look(10_000).working?.terms.find(({ name }) => name === 'shared')?.value;
    assert.equal(saved(), 51_200 * 4096 - 256 * 4096);
    host.change({ memory: { totalBytes: 64 * GIB, freeBytes: 60 * GIB, committedBytes: 0 } });
    assert.equal(saved(), 51_200 * 4096 - 256 * 4096);
  });
});
