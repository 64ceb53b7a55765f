import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { agree } from '../../../../src/ctl/estimate/agree.js';
import { UsageError } from '../../../../src/ctl/verb.js';

/** A terminal on which `typed` was typed; undefined: the input has ended. */
function terminal(typed: string | undefined) {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = Object.assign(new PassThrough(), { isTTY: true });
  if (typed === undefined) input.end();
  else input.write(`${typed}\n`);
  return { input, output };
}

describe('the question of estimate', () => {
  for (const typed of ['y', 'Y', 'yes', ' yes ']) {
    test(`the answer "${typed}" lets estimate go on, after the warning`, async () => {
      const notices: string[] = [];
      const asked = terminal(typed);
      await agree({ yes: false, notice: (text) => void notices.push(text) }, 'pages are shared', asked);
      assert.deepEqual(notices, ['pages are shared']);
      assert.match(String(asked.output.read()), /Go on\? \[y\/N\] /);
    });
  }

  for (const typed of ['', 'n', 'yesno', 'ny', undefined]) {
    test(`${typed === undefined ? 'the end of the input' : `the answer "${typed}"`} ends estimate without doing anything`, async () => {
      await assert.rejects(agree({ yes: false, notice: () => undefined }, '', terminal(typed)), {
        message: 'nothing was done',
      });
    });
  }

  test('the question of estimate is not asked with --yes', async () => {
    const asked = terminal(undefined);
    await agree({ yes: true, notice: () => undefined }, '', asked);
    assert.equal(asked.output.read(), null);
  });

  test('without a terminal estimate asks for --yes instead of its question', async () => {
    const asked = { input: new PassThrough(), output: terminal('y').output };
    await assert.rejects(agree({ yes: false, notice: () => undefined }, '', asked), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, /--yes goes on without asking/);
      return true;
    });
  });
});
