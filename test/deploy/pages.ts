import assert from 'node:assert/strict';
import type { Machine } from '../support/machine/machine.js';
import { check } from '../support/machine/check.js';

const PAGES = ['samepaged.8', 'samepagectl.1', 'ksmtuned.conf.5', 'org.samepaged1.5'];
/** In tenths. */
const MOST_EXPOSED = 15;

export function checkPages(machine: Machine): void {
  const output = (command: string) => machine.run('sh', '-c', `${command} 2>&1`);

  for (const page of PAGES) {
    check(machine, `man shows the page ${page} without a warning`, async () => {
      const [, name = '', section = ''] = /^(.*)\.(\d)$/.exec(page) ?? [];
      assert.match(await machine.run('man', section, name), /NAME/);
      // The way of lintian: only what man says about the page.
      const render = `MANROFFSEQ= MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z $(man -w ${section} ${name}) 2>&1 >/dev/null`;
      assert.equal(await machine.run('sh', '-c', render), '');
    });
  }

  check(machine, 'systemd-analyze verify has nothing to say of the installed unit', async () => {
    assert.equal(await output('systemd-analyze verify samepaged.service'), '');
  });

  check(machine, `systemd-analyze security finds an exposure of at most ${MOST_EXPOSED / 10}`, async () => {
    await machine.run('systemd-analyze', 'security', '--no-pager', `--threshold=${MOST_EXPOSED}`, 'samepaged.service');
  });
}
