import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { adminPage, pictured, shoot } from '../support/browser/browser.js';
import type { SceneMachine } from '../support/browser/sceneMachine.js';
import { eventually } from '../support/daemon.js';
import { seriousOf } from './looks.js';

/** Every button does what it says, which samepagectl and the kernel's files confirm. */
export function checkActions({ machine }: SceneMachine, browser: Browser): void {
  describe('an administrator', () => {
    let page: Page;
    before(async () => {
      page = await adminPage(browser);
      await page.getByText('Memory is being merged').waitFor();
    });
    after(() => page.context().close());
    const it = pictured(() => page);

    const click = (name: string) => page.getByRole('button', { name, exact: true }).click();
    const confirm = (name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true }).click();
    const hold = async () => {
      const { hold: name } = JSON.parse(await machine.run('samepagectl', 'status', '--json')) as { hold: string };
      return name;
    };
    const holds = (name: string) => eventually(async () => ((await hold()) === name ? true : undefined));

    it('an administrator pauses for an hour in the page, and resumes', async () => {
      await click('Pause…');
      await page.getByRole('dialog').getByText('1 hr').click();
      await confirm('Pause');
      await page.getByText('Paused by hand.').waitFor();
      await holds('paused');
      await click('Resume');
      await page.getByText('Memory is being merged').waitFor();
      await holds('');
    });

    it('an administrator stops merging in the page, and resumes', async () => {
      await click('Stop…');
      await confirm('Stop');
      await page.getByText('Stopped by hand').first().waitFor();
      await holds('stopped');
      await click('Resume');
      await holds('');
    });

    it('an administrator leaves a dialog of the page by Escape, and nothing is done', async () => {
      await click('Stop…');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      assert.equal(await hold(), '');
    });

    it("an administrator unmerges in the page only after a look at the guard's figures", async () => {
      await click('Unmerge…');
      const dialog = page.getByRole('dialog');
      assert.match(await dialog.innerText(), /Memory that this takes\s+\d+\.\d.GiB\s+Available memory\s+2\.\d.GiB/);
      await dialog.getByText('It may not fit into memory').waitFor();
      const unmerge = dialog.getByRole('button', { name: 'Unmerge', exact: true });
      assert.ok(await unmerge.isDisabled());
      await dialog.getByLabel('Unmerge even if it does not fit').check();
      assert.ok(await unmerge.isEnabled());
      assert.deepEqual(await seriousOf(page), []);
      await confirm('Cancel');
      assert.equal(await hold(), '');
    });

    it('an administrator sets another policy in the page, and goes back to the configured one', async () => {
      await page.getByRole('radio', { name: 'adaptive' }).check();
      await click('Set the policy');
      await page.getByText('adaptive (in force)').waitFor();
      await page.getByRole('button', { name: /^Back to ksmtuned/ }).click();
      await page.getByText('ksmtuned (in force)').waitFor();
    });

    it('an administrator asks the page what another policy would have done', async () => {
      await page.getByRole('radio', { name: 'adaptive' }).check();
      await click('What would adaptive have made of the recorded history?');
      await page.getByRole('region', { name: 'Simulated' }).filter({ hasText: 'adaptive' }).waitFor();
      await page.getByRole('radio', { name: 'ksmtuned (in force)' }).check();
    });

    it('an administrator looks closer in the page: another span, what happened, guests in another order', async () => {
      for (const span of ['1 week', '1 month', '1 day']) {
        await click(span);
        await page.getByRole('button', { name: span, pressed: true }).waitFor();
      }
      const reading = page.locator('.reading').filter({ hasText: /Saved .*, Free / });
      // The curves of the other span may come after the pointer.
      for (let x = 30; !(await reading.isVisible()); x++) {
        assert.ok(x < 80, 'no curve is read');
        await page
          .locator('.curve .u-over')
          .nth(1)
          .hover({ position: { x, y: 20 } });
        await page.waitForTimeout(200);
      }
      await click('What happened, in words');
      await page.locator('.events li').first().waitFor();
      const names = () => page.locator('.guests tbody th').allInnerTexts();
      await click('Name');
      const ascending = await names();
      await click('Name');
      assert.deepEqual(await names(), ascending.toReversed());
      await page.getByRole('button', { name: /checks are fine$/ }).click();
      await page.locator('.findings').getByText('fine', { exact: true }).first().waitFor();
      await click('Hide what is fine');
      await click('Check again');
      await page.getByRole('button', { name: 'Check again', disabled: false }).waitFor();
    });

    it('an administrator copies a remedy from the page', async () => {
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      const remedy = page.locator('.findings .remedy').first();
      await remedy.getByRole('button').click();
      const copied = await page.evaluate('navigator.clipboard.readText()');
      assert.equal(copied, await remedy.locator('pre').innerText());
    });

    it('the page refuses in the words of samepagectl where libvirt does not have the guest', async () => {
      await page.getByRole('button', { name: 'Change merging of web-01' }).click();
      await page.getByRole('dialog').getByText('Another guest that can measure').waitFor();
      await shoot(page, 'dialog');
      await confirm('Forbid');
      const alert = page.locator('.pf-v6-c-alert.pf-m-danger');
      await alert.waitFor();
      assert.match(await alert.innerText(), /libvirt|web-01/);
    });
  });
}
