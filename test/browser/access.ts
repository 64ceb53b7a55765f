import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Browser } from 'playwright-core';
import { PAGE_URL, becomeAdmin, login } from '../support/browser/browser.js';
import type { SceneMachine } from '../support/browser/sceneMachine.js';
import { ADMIN, VIEWER } from '../support/machine/machineImage.js';

/** Who sees what, and who may do what. */
export function checkAccess(_host: SceneMachine, browser: Browser): void {
  it('the page has an entry in Cockpit’s menu that leads to it', async () => {
    const page = await login(browser, VIEWER);
    await page.getByRole('link', { name: 'Memory merging' }).click();
    const frame = page.frameLocator('iframe[name="cockpit1:localhost/samepaged"]');
    await frame.getByRole('heading', { level: 1, name: 'Memory merging' }).waitFor();
    await page.context().close();
  });

  it('the page shows everything to a user who may change nothing, and refuses in the words of the daemon', async () => {
    const page = await login(browser, VIEWER);
    await page.goto(PAGE_URL);
    await page.getByText('Memory is being merged').waitFor();
    await page.getByRole('heading', { name: '13 guests' }).waitFor();
    await page.getByRole('button', { name: 'Retune now' }).click();
    const alert = page.locator('.pf-v6-c-alert.pf-m-danger');
    await alert.waitFor();
    assert.match(await alert.innerText(), /org\.samepaged1\.retune is for root/);
    await page.context().close();
  });

  it('the page does what an administrator asks for once Cockpit has administrative access', async () => {
    const page = await login(browser, ADMIN);
    await becomeAdmin(page, ADMIN);
    await page.goto(PAGE_URL);
    await page.getByRole('button', { name: 'Retune now' }).click();
    const alert = page.locator('.pf-v6-c-alert.pf-m-success');
    await alert.waitFor();
    assert.match(await alert.innerText(), /Retuned/);
    await page.context().close();
  });
}
