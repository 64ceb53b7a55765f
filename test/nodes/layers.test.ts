import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, delimiter } from 'node:path';
import { test } from 'node:test';
import { askedNodes, nodeBinary } from '../support/nodes.js';

/** Everything that needs no kernel and no booted machine. */
const LAYERS = ['unit', 'properties', 'integration'];
/** Of what the layers print. */
const SHOWN_LINES = 60;

for (const version of askedNodes()) {
  test(`the layers ${LAYERS.join(', ')} pass with Node ${version}`, async (t) => {
    const node = await nodeBinary(version);
    const { env } = process;
    const child = spawn(node, ['dist/test/run.js', ...LAYERS], {
      // Not as a part of this test.
      env: { ...env, NODE_TEST_CONTEXT: undefined, PATH: `${dirname(node)}${delimiter}${env['PATH'] ?? ''}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (more: string) => (output += more));
    const [status] = (await once(child, 'close')) as [number | null];
    const lines = output.trim().split('\n');
    for (const line of lines.slice(-LAYERS.length - 1)) t.diagnostic(line);
    assert.equal(status, 0, lines.slice(-SHOWN_LINES).join('\n'));
  });
}
