import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { type Browser, type BrowserContextOptions, type Page, chromium } from 'playwright-core';
import type { Machine } from '../machine/machine.js';
import { ADMIN, COCKPIT_URL } from '../machine/machineImage.js';
import { scratchDirectory } from '../scratch.js';

export const PAGE_URL = `${COCKPIT_URL}cockpit/@localhost/samepaged/index.html`;
/** Where the screenshots of the last run are; git ignores it. */
export const SHOTS = 'out/browser';

/** Debian's Chromium, in the network of the machine. */
export async function startBrowser(machine: Machine): Promise<Browser> {
  const wrapper = join(await scratchDirectory('browser'), 'chromium');
  await writeFile(wrapper, `#!/bin/sh\nexec ${machine.enterNetwork.join(' ')} /usr/bin/chromium "$@"\n`);
  await chmod(wrapper, 0o755);
  return await chromium.launch({ executablePath: wrapper, args: ['--no-sandbox'] });
}

export interface Account {
  readonly name: string;
  readonly password: string;
}

/** A page of somebody who has logged in to Cockpit, with the shell open; `language` as Cockpit's cookie has it. */
export async function login(
  browser: Browser,
  { name, password }: Account,
  { language, ...options }: BrowserContextOptions & { readonly language?: string } = {},
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1000 }, ...options });
  // Cockpit has logged in after three seconds, on a busy machine after twenty; what takes so long will not come.
  context.setDefaultTimeout(45_000);
  if (language !== undefined) await context.addCookies([{ name: 'CockpitLang', value: language, url: COCKPIT_URL }]);
  const page = await context.newPage();
  await page.goto(COCKPIT_URL);
  await page.fill('#login-user-input', name);
  await page.fill('#login-password-input', password);
  await page.click('#login-button');
  // Where the screen is narrow the menu is there and not shown.
  await page.locator('#nav-system').waitFor({ state: 'attached' });
  return page;
}

/** Has Cockpit give administrative access, as its user does it. */
export async function becomeAdmin(page: Page, { password }: Account): Promise<void> {
  await page.getByRole('button', { name: 'Limited access' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('input[type=password]').fill(password);
  await dialog.getByRole('button', { name: 'Authenticate' }).click();
  await page.getByRole('button', { name: 'Administrative access' }).first().waitFor();
}

/** The page, alone, of an administrator who has administrative access. */
export async function adminPage(browser: Browser): Promise<Page> {
  const page = await login(browser, ADMIN);
  await becomeAdmin(page, ADMIN);
  await page.goto(PAGE_URL);
  return page;
}

export async function shoot(page: Page, name: string): Promise<void> {
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}

/** A test on a page that all tests of a group share: when one fails, the page is left as a picture and opened anew. */
export function pictured(pageOf: () => Page): (name: string, body: () => Promise<void>) => void {
  return (name, body) => {
    it(name, async () => {
      try {
        await body();
      } catch (error) {
        await shoot(pageOf(), `failed: ${name.replaceAll('/', ' ')}`);
        await pageOf().goto(PAGE_URL);
        throw error;
      }
    });
  };
}
