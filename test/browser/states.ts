import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import type { Browser, BrowserContext, Page, WebSocketRoute } from 'playwright-core';
import { PAGE_URL, adminPage, login, pictured, shoot } from '../support/browser/browser.js';
import { OtherDaemon, oldestProperties } from '../support/browser/otherDaemon.js';
import type { SceneMachine } from '../support/browser/sceneMachine.js';
import { NAMES, SCENE_ROOT, sceneOf } from '../support/browser/scenes.js';
import { ADMIN } from '../support/machine/machineImage.js';
import { seriousOf } from './looks.js';

/** The manifest asks for it. */
const MANIFEST_CONDITION = '/usr/share/dbus-1/system.d/org.samepaged1.conf';

/** What can be the case on a host, each as the page shows it. */
export function checkStates(host: SceneMachine, browser: Browser): void {
  const { machine } = host;
  describe('the page of a host', () => {
    let page: Page;
    before(async () => {
      page = await adminPage(browser);
    });
    after(() => page.context().close());
    const it = pictured(() => page);

    for (const count of [0, 1, 400]) {
      it(`the page shows a host with ${count} guests`, async () => {
        await host.play(sceneOf(count, Date.now()));
        const title = count === 0 ? 'Guests' : count === 1 ? '1 guest' : `${count} guests`;
        await page.getByRole('heading', { name: title, exact: true }).waitFor();
        if (count === 400) {
          await page.getByRole('button', { name: 'Show all 400 guests' }).click();
          await page.getByText('guest-400').waitFor();
          await page.getByRole('searchbox').fill('399');
          await page.getByText('guest-400').waitFor({ state: 'detached' });
          await page.getByText('guest-399').waitFor();
        }
        await shoot(page, `guests-${count}`);
      });
    }

    it('the page shows names of every script, each as text and apart from what surrounds it', async () => {
      await host.play(sceneOf(NAMES.length, Date.now()));
      await page.getByRole('heading', { name: '13 guests' }).waitFor();
      await page.getByText('web-01', { exact: true }).waitFor();
      const shown = await page.locator('.guests tbody th bdi').allInnerTexts();
      // What turns the direction of writing is shown as a question mark.
      const expected = NAMES.map((name) => name.replace('\u202E', '?'));
      assert.deepEqual(shown.toSorted(), expected.toSorted());
    });

    it('the page says that samepaged does not run, and starts it', async () => {
      await machine.run('systemctl', 'disable', '--now', 'samepaged');
      await page.getByRole('heading', { name: 'samepaged is not running' }).waitFor();
      await page.getByText('It is stopped, so no program tunes ksmd.').waitFor();
      await shoot(page, 'not-running');
      assert.deepEqual(await seriousOf(page), []);
      await page.getByLabel('Start at every boot').setChecked(true);
      await page.getByRole('button', { name: 'Start samepaged' }).click();
      await page.getByText('Memory is being merged').waitFor();
      assert.equal(await machine.run('systemctl', 'is-enabled', 'samepaged'), 'enabled\n');
    });

    it('the page says that samepaged is not installed, and has no entry in the menu of the next who logs in', async () => {
      await machine.run('systemctl', 'stop', 'samepaged');
      const files = [MANIFEST_CONDITION, '/usr/lib/systemd/system/samepaged.service'];
      for (const file of files) await machine.run('mv', file, `${file}.away`);
      await machine.run('systemctl', 'daemon-reload');
      await page.getByText('There is no samepaged.service on this host.').waitFor();
      await page.getByRole('button', { name: 'Start samepaged' }).waitFor({ state: 'detached' });
      await shoot(page, 'not-installed');
      const next = await login(browser, ADMIN);
      await next.getByRole('link', { name: 'Services' }).waitFor();
      assert.equal(await next.getByRole('link', { name: 'Memory merging' }).count(), 0);
      await next.context().close();
      for (const file of files) await machine.run('mv', `${file}.away`, file);
      await machine.run('systemctl', 'reload', 'dbus');
      await machine.run('systemctl', 'daemon-reload');
      await machine.run('systemctl', 'start', 'samepaged');
      await page.getByText('Memory is being merged').waitFor();
    });

    it('the page of a host that cannot be reached shows what was known, and reconnects when asked', async () => {
      const { context, drop } = await lossyPage(browser);
      const lossy = context.pages()[0];
      assert.ok(lossy);
      await lossy.goto(PAGE_URL);
      await lossy.getByText('Memory is being merged').waitFor();
      await drop();
      await lossy.getByText('The connection to this host is lost').waitFor();
      await shoot(lossy, 'connection-lost');
      await lossy.getByText('Memory is being merged').waitFor();
      await lossy.getByRole('button', { name: 'Reconnect' }).click();
      await lossy.getByRole('button', { name: 'Retune now' }).waitFor();
      await context.close();
    });

    it('the page with samepaged of another version shows what that tells, or says that the two do not fit', async () => {
      await machine.run('systemctl', 'stop', 'samepaged');
      const address = `unix:path=${machine.path('/run/dbus/system_bus_socket')}`;
      {
        using older = await OtherDaemon.start(address, oldestProperties());
        assert.ok(older);
        await page.getByText('merging, said the first version').waitFor();
        await page.getByText('samepaged 0.0.9.').waitFor();
        await page.getByText('The history cannot be read:').waitFor();
      }
      await page.getByRole('heading', { name: 'samepaged is not running' }).waitFor();
      {
        const { Run, ...properties } = oldestProperties();
        assert.ok(Run);
        using newer = await OtherDaemon.start(address, properties);
        assert.ok(newer);
        await page.getByText('This page cannot read the answer of samepaged').waitFor();
        await shoot(page, 'other-version');
        await page.getByText('run', { exact: true }).waitFor();
      }
      await machine.run('systemctl', 'start', 'samepaged');
      await page.getByText('Memory is being merged').waitFor();
    });

    it('the page of a host whose kernel has no KSM says that this is why nothing runs', async () => {
      await machine.run('systemctl', 'stop', 'samepaged');
      await machine.run('mv', `${SCENE_ROOT}/sys/kernel/mm/ksm`, `${SCENE_ROOT}/ksm`);
      await machine.run('systemctl', 'start', 'samepaged').catch(() => undefined);
      await page.goto(PAGE_URL);
      await page.getByText('this kernel has no KSM').waitFor();
      await shoot(page, 'no-ksm');
      await machine.run('mv', `${SCENE_ROOT}/ksm`, `${SCENE_ROOT}/sys/kernel/mm/ksm`);
      await machine.run('systemctl', 'start', 'samepaged');
      await page.getByText('Memory is being merged').waitFor();
    });
  });
}

/** A page whose connection to Cockpit can be cut. */
async function lossyPage(browser: Browser): Promise<{ context: BrowserContext; drop: () => Promise<void> }> {
  const page = await login(browser, ADMIN);
  const sockets: WebSocketRoute[] = [];
  await page.context().routeWebSocket(/cockpit/, (socket) => {
    socket.connectToServer();
    sockets.push(socket);
  });
  const drop = async () => {
    for (const socket of sockets.splice(0)) await socket.close();
  };
  return { context: page.context(), drop };
}
