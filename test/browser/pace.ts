import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Browser } from 'playwright-core';
import { PAGE_URL, login } from '../support/browser/browser.js';
import type { SceneMachine } from '../support/browser/sceneMachine.js';
import { lastHours, sceneOf } from '../support/browser/scenes.js';
import { VIEWER } from '../support/machine/machineImage.js';

const LOADS = 5;
/** Measured beside nothing else it is a third of this; a busy machine is no fault. */
const MOST_PAINT_MILLIS = 3000;
/** What a browser calls a long task, and its user a jerk. */
const LONG_TASK_MILLIS = 50;

/** How soon the answer is there, and whether a day of 400 guests scrolls smoothly. */
export function checkPace(host: SceneMachine, browser: Browser): void {
  test('the page answers soon, and a day with 400 guests scrolls with at most two long tasks', async (t) => {
    await host.play({ ...sceneOf(400, Date.now()), history: lastHours(24, Date.now()) });
    const page = await login(browser, VIEWER);
    // The first load fills the browser's cache, as the first visit does.
    const paints: number[] = [];
    for (let load = 0; load <= LOADS; load++) {
      await page.goto('about:blank');
      await page.goto(PAGE_URL, { waitUntil: 'commit' });
      await page.locator('.figures').waitFor();
      paints.push(Math.round(await page.evaluate<number>('performance.now()')));
    }
    t.diagnostic(`the answer after ${paints.join(', ')} ms`);
    assert.ok((paints.slice(1).toSorted((a, b) => a - b)[2] ?? Infinity) < MOST_PAINT_MILLIS);

    await page.getByRole('button', { name: '1 day' }).click();
    await page.getByRole('button', { name: 'Show all 400 guests' }).click();
    await page.locator('.guests tbody th').nth(399).waitFor();
    const frames = await page.evaluate<{ readonly frames: readonly number[]; readonly tasks: readonly number[] }>(
      SCROLL,
    );
    const sorted = frames.frames.toSorted((a, b) => a - b).map(Math.round);
    t.diagnostic(
      `${sorted.length} frames: median ${sorted[sorted.length >> 1]} ms, longest ${sorted.at(-1)} ms; long tasks: ${frames.tasks.join(', ')}`,
    );
    assert.deepEqual(
      frames.tasks.filter((millis) => millis > 2 * LONG_TASK_MILLIS),
      [],
    );
    await page.context().close();
  });
}

/** Run in the page: scrolls from top to bottom and back, and gives the milliseconds of each frame and of each long task. */
const SCROLL = `new Promise((resolve) => {
  const tasks = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)));
  observer.observe({ type: 'longtask' });
  const frames = [];
  const most = document.documentElement.scrollHeight - innerHeight;
  let last = performance.now();
  const step = () => {
    const now = performance.now();
    frames.push(now - last);
    last = now;
    const at = frames.length / 120;
    scrollTo(0, most * (1 - Math.abs(1 - at)));
    if (at < 2) requestAnimationFrame(step);
    else setTimeout(() => { observer.disconnect(); resolve({ frames, tasks }); }, 100);
  };
  requestAnimationFrame(step);
})`;
