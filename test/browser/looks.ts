import assert from 'node:assert/strict';
import { it } from 'node:test';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { PAGE_URL, login, shoot } from '../support/browser/browser.js';
import type { SceneMachine } from '../support/browser/sceneMachine.js';
import { NAMES, lastHour, sceneOf } from '../support/browser/scenes.js';
import { VIEWER } from '../support/machine/machineImage.js';

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** How it looks: light, dark, narrow, wide, in another language. Each is also left as a picture. */
export function checkLooks(host: SceneMachine, browser: Browser): void {
  const looks = [
    { name: 'light', options: { colorScheme: 'light' } },
    { name: 'dark', options: { colorScheme: 'dark' } },
    { name: 'narrow', options: { viewport: { width: 320, height: 800 } } },
    { name: 'wide', options: { viewport: { width: 3840, height: 2160 } } },
    { name: 'chinese', options: { language: 'zh-cn', locale: 'zh-CN' }, title: '内存合并' },
  ] as const;
  for (const look of looks) {
    it(`${look.name}: has nothing that axe finds serious, and nothing beside the screen`, async () => {
      await host.play({ ...sceneOf(NAMES.length, Date.now()), history: lastHour(Date.now()) });
      const page = await login(browser, VIEWER, look.options);
      await page.goto(PAGE_URL);
      await page.getByRole('heading', { level: 1, name: 'title' in look ? look.title : 'Memory merging' }).waitFor();
      await page.locator('.curve canvas').nth(2).waitFor();
      await page.locator('.findings li').first().waitFor();
      await page.locator('.guests tbody th').nth(12).waitFor();
      await shoot(page, look.name);
      assert.deepEqual(await seriousOf(page), []);
      assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0);
      await page.context().close();
    });
  }
}

async function seriousOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<{ readonly violations: readonly Violation[] }>('axe.run()');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
