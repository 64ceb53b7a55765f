import assert from 'node:assert/strict';
import { it } from 'node:test';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { PAGE_URL, login, shoot } from '../support/browser/browser.js';
import type { SceneMachine } from '../support/browser/sceneMachine.js';
import { NAMES, lastHours, sceneOf } from '../support/browser/scenes.js';
import { COCKPIT_URL, VIEWER } from '../support/machine/machineImage.js';

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
    { name: 'right-to-left', options: {} },
  ] as const;
  for (const look of looks) {
    it(`the look ${look.name} has nothing that axe finds serious, nothing that overlaps or leaves the screen`, async () => {
      await host.play({ ...sceneOf(NAMES.length, Date.now()), history: lastHours(1, Date.now()) });
      const page = await login(browser, VIEWER, look.options);
      await page.goto(PAGE_URL);
      await page.getByRole('heading', { level: 1, name: 'title' in look ? look.title : 'Memory merging' }).waitFor();
      await page.locator('.curve canvas').nth(2).waitFor();
      await page.locator('.findings li').first().waitFor();
      await page.locator('.guests tbody th').nth(12).waitFor();
      // Of the languages that the page has none is written from right to left.
      if (look.name === 'right-to-left') await page.evaluate("document.documentElement.dir = 'rtl'");
      await shoot(page, look.name);
      assert.deepEqual(await seriousOf(page), []);
      assert.deepEqual(await page.evaluate(`(${overlaps})()`), []);
      assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0);
      // Beside it: a page of Cockpit's own.
      await page.goto(`${COCKPIT_URL}cockpit/@localhost/system/services.html`);
      await page.getByText('cockpit-issue').first().waitFor();
      await shoot(page, `cockpit-${look.name}`);
      await page.context().close();
    });
  }
}

/** Run in the page: pairs of texts, of which one is drawn over a part of the other. */
const overlaps = `() => {
  const boxes = [];
  const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    // A list that is folded up keeps its place.
    if (node.data.trim() === '' || !node.parentElement.checkVisibility({ visibilityProperty: true })) continue;
    if (node.parentElement.closest('.screen-reader, .pf-v6-screen-reader, pre')) continue;
    // Where the page is narrow the table's head is for screen readers.
    if (node.parentElement.closest('thead')?.clientWidth <= 1) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const { left, right, top, bottom } of range.getClientRects()) {
      // The box of a line has room above and below its letters.
      if (right - left > 1) boxes.push({ left: left + 1, right: right - 1, top: top + 4, bottom: bottom - 4, node });
    }
  }
  return boxes.flatMap((one, index) =>
    boxes
      .slice(index + 1)
      .filter((other) => other.node !== one.node && one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom)
      .map((other) => one.node.data + ' / ' + other.node.data),
  );
}`;

export async function seriousOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<{ readonly violations: readonly Violation[] }>('axe.run()');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
