import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unansweredLines } from '../../../../src/ctl/status/unanswered.js';
import { MERGING } from '../../../support/examples/doctorFacts.js';

const UNANSWERED = { why: 'no D-Bus at x', pid: undefined, ksm: MERGING, pageSizeBytes: 4096 };

describe('the status without an answer of samepaged', () => {
  test('the status without an answer of samepaged tells of the kernel by itself where none runs', () => {
    assert.deepEqual(unansweredLines(UNANSWERED), [
      'no D-Bus at x.',
      'The kernel by itself is merging: run=1, pages_to_scan=100, sleep_millisecs=20, pages_sharing=524288',
      '2.0 GiB saved.',
    ]);
  });

  test('the status does not say that no samepaged runs beside one that runs without a bus', () => {
    const [reason, ksm] = unansweredLines({ ...UNANSWERED, pid: 900 });
    assert.equal(reason, 'samepaged runs (pid 900), but cannot be asked: no D-Bus at x.');
    assert.match(ksm ?? '', /^KSM is merging: run=1/);
  });

  test('the status without an answer of samepaged says why there is nothing to tell', () => {
    assert.deepEqual(unansweredLines({ ...UNANSWERED, ksm: { absence: 'run is not there' } }), [
      'no D-Bus at x.',
      'run is not there.',
    ]);
  });
});
