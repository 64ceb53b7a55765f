import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alignedRows, topicRows } from '../../../src/text/table.js';
import { PLAIN } from '../../support/examples/ctlExamples.js';

test('columns of a table are as wide as their widest cell on a terminal, and numbers stand at the right', () => {
  const rows = [
    ['GUEST', 'MEMORY', 'STATE'],
    ['web', '12', ''],
    ['雲雲雲', '9', 'on'],
  ];
  assert.deepEqual(
    alignedRows(rows, (column) => column === 1),
    ['GUEST   MEMORY  STATE', 'web         12', '雲雲雲       9  on'],
  );
  assert.deepEqual(alignedRows([]), []);
});

test('a topic of a table that is wider than its column has a line of its own', () => {
  const rows = [
    ['a', 'one'],
    ['longer', 'two'],
  ] as const;
  assert.deepEqual(topicRows(rows, PLAIN, 3), ['  a    one', '  longer', '       two']);
});
