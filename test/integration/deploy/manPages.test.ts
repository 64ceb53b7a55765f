import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { MAN_DIRECTORY } from '../../../deploy/man/generate/pages.js';

const PAGES = readdirSync(MAN_DIRECTORY).filter((name) => /\.\d$/.test(name));
const COLUMNS = 80;

function run(command: string, ...args: string[]): string {
  const env = { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: String(COLUMNS), MANROFFSEQ: '', MANOPT: '' };
  const { status, stdout, stderr, error } = spawnSync(command, args, { env, encoding: 'utf8' });
  assert.equal(error, undefined);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return stdout;
}

it('there are manual pages to check', () => {
  assert.deepEqual(PAGES.toSorted(), ['ksmtuned.conf.5', 'org.samepaged1.5', 'samepagectl.1', 'samepaged.8']);
});

for (const name of PAGES) {
  const file = join(MAN_DIRECTORY, name);

  describe(`manual page ${name}`, () => {
    it(`the manual page ${name} is shown by man without a warning, within 80 columns`, () => {
      const lines = run('man', '--warnings', '-E', 'UTF-8', '-l', file).split('\n');
      assert.ok(lines.length > 50, `${lines.length} lines`);
      assert.deepEqual(
        lines.filter((line) => line.length > COLUMNS),
        [],
      );
    });

    it(`the manual page ${name} is formatted by groff without a warning`, () => {
      assert.notEqual(run('groff', '-ww', '-man', '-Tutf8', file), '');
    });

    it(`the manual page ${name} is found by whatis`, () => {
      const title = name.replace(/\.\d$/, '');
      assert.match(run('lexgrog', file), new RegExp(`: "${title.replaceAll('.', '\\.')} - \\S.{10,70}"`));
    });
  });
}
