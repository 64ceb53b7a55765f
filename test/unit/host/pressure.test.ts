import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { describe, mock, test } from 'node:test';
import { readMemoryPressure } from '../../../src/host/pressure.js';
import { HostTree } from '../../support/hostTree.js';

const MEMORY = `some avg10=12.34 avg60=5.00 avg300=1.00 total=123456
full avg10=3.21 avg60=0.00 avg300=0.00 total=12345
`;

function told(files: Readonly<Record<string, string>>): number | undefined {
  using tree = HostTree.create();
  for (const [name, text] of Object.entries(files)) tree.write(`proc/pressure/${name}`, text);
  return readMemoryPressure(tree.root);
}

describe('pressure', () => {
  test('memory pressure is the part of the last ten seconds in which some task waited', () => {
    assert.equal(told({ memory: MEMORY }), 12.34);
    assert.equal(told({ memory: MEMORY.replace('12.34', '0.00') }), 0);
    assert.equal(told({ memory: MEMORY.replace('12.34', '100.00') }), 100);
  });

  test('memory pressure is not told before Linux 4.20 and without CONFIG_PSI', () => {
    assert.equal(told({}), undefined);
  });

  test('memory pressure is not told by a kernel booted with psi=0, which refuses to open the file', () => {
    assert.equal(refused('EOPNOTSUPP'), undefined);
    assert.throws(() => refused('EIO'), { code: 'EIO' });
  });

  for (const text of ['', 'full avg10=1.00 avg60=0.00', 'some avg60=1.00', 'some avg10=many ', 'some avg10=-1.00 ']) {
    test(`malformed pressure is reported: ${JSON.stringify(text)}`, () => {
      assert.throws(() => told({ memory: text }), /proc\/pressure\/memory: expected a line "some avg10=NUMBER/);
    });
  }
});

/** What is told of a file that cannot be opened. */
function refused(code: string): number | undefined {
  using tree = HostTree.create();
  tree.write('proc/pressure/memory', MEMORY);
  const read = mock.method(fs, 'openSync', () => {
    throw Object.assign(new Error(`${code}: open`), { code });
  });
  syncBuiltinESMExports();
  try {
    return readMemoryPressure(tree.root);
  } finally {
    read.mock.restore();
    syncBuiltinESMExports();
  }
}
