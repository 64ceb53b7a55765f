import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { optionProblem } from '../../../src/text/nearest.js';

const OPTIONS = { once: { type: 'boolean' }, speed: { type: 'string' } } as const;

for (const [args, problem] of [
  [['--onec'], 'no option --onec; did you mean --once?'],
  [['--dance'], 'no option --dance; see --help'],
  [['--spede=2'], 'no option --spede; did you mean --speed?'],
  [['-x'], 'no option -x; see --help'],
  [['--speed'], "Option '--speed <value>' argument missing"],
] as const) {
  test(`the options ${args.join(' ')} are refused: ${problem}`, () => {
    const refused = (error: unknown) => {
      assert.equal(optionProblem(error, Object.keys(OPTIONS), 'see --help'), problem);
      return true;
    };
    assert.throws(() => parseArgs({ args: [...args], options: OPTIONS }), refused);
  });
}

test('the problem of an option is one line', () => {
  assert.equal(optionProblem(new Error('One.\nTwo.'), [], ''), 'One. Two.');
});
