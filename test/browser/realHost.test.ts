import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import type { Page } from 'playwright-core';
import { forbidsMerging } from '../../src/libvirt/domainXml.js';
import { adminPage, pictured, shoot, startBrowser } from '../support/browser/browser.js';
import { installPackages } from '../support/browser/sceneMachine.js';
import { eventually } from '../support/daemon.js';
import { readKsm } from '../support/kvm/ksm.js';
import { Machine } from '../support/machine/machine.js';
import { startMachineGuest, virsh } from '../support/machine/machineGuest.js';

const COMMON_MIB = 96;
const GUESTS = ['web-01', 'web-02', 'web-03'];
/** Of the copies of what they have in common nearly all are merged: smart_scan leaves a page out for some passes. */
const MERGED_PAGES = 0.9 * (GUESTS.length - 1) * ((COMMON_MIB * 1024) / 4);
/** ksmd merges whenever guests run, all that there is in a few seconds. */
const CONFIG = `KSM_WHEN=always
KSM_NPAGES_MIN=20000
KSM_NPAGES_MAX=20000
KSM_MONITOR_INTERVAL=5
`;
/** libvirt's loss and return are noticed by the next call, which every sample makes. */
const LIBVIRT_MILLIS = 30_000;

// This kernel's KSM, libvirtd and QEMU in a booted Debian 13, with the packages of this checkout as they are.
const machine = await Machine.boot();
after(() => machine.stop());
await installPackages(machine);
await machine.write('/etc/ksmtuned.conf', CONFIG);
await machine.run('systemctl', 'start', 'libvirtd');
await machine.run('systemctl', 'restart', 'samepaged');
for (const name of GUESTS) {
  await startMachineGuest(machine, { name, commonMiB: COMMON_MIB, ownMiB: 16 }, { isPersistent: true });
}
const browser = await startBrowser(machine);
after(() => browser.close());

describe('the page of a host with guests of libvirt', () => {
  let page: Page;
  before(async () => {
    page = await adminPage(browser);
  });
  after(() => page.context().close());
  const it = pictured(() => page);

  const sharing = async () => Number((await readKsm())['pages_sharing']);
  const untilMerged = () =>
    eventually(
      async () => ((await sharing()) >= MERGED_PAGES ? true : undefined),
      () => 'not merged',
    );
  const rowOf = (name: string) => page.locator('.guests tbody tr').filter({ hasText: name });
  const untilRow = (name: string, text: string | RegExp) =>
    rowOf(name).getByText(text).first().waitFor({ timeout: 40_000 });
  const definition = (name: string) => virsh(machine, 'dumpxml', '--inactive', name);
  /** Changes whether a guest may be merged, and gives what came of it. */
  const change = async (word: 'Forbid' | 'Allow', name: string, now: boolean): Promise<string> => {
    await page.getByRole('button', { name: `Change merging of ${name}` }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio', { name: word }).check();
    if (now) await dialog.getByRole('checkbox', { name: 'Now, while it runs' }).check();
    await dialog.getByRole('button', { name: word, exact: true }).click();
    const alert = page.locator('.outcome .pf-v6-c-alert.pf-m-success');
    await alert.waitFor();
    const said = await alert.innerText();
    await alert.getByRole('button', { name: 'Close' }).click();
    return said;
  };

  it('the page shows the guests of libvirt, and what is merged of them', async () => {
    await page.getByRole('heading', { name: '3 guests' }).waitFor();
    await page.getByText('libvirt is connected.').waitFor();
    await page.getByText('Memory is being merged').waitFor();
    await untilMerged();
    for (const name of GUESTS) await untilRow(name, /^(?:9\d|1\d\d)\.\d.MiB$/);
    await shoot(page, 'real-host');
  });

  it('the page forbids merging of a guest from its next start on, and allows it again', async () => {
    assert.match(await change('Forbid', 'web-01', false), /from its next start on/);
    assert.ok(forbidsMerging(await definition('web-01')));
    assert.ok(!forbidsMerging(await definition('web-02')));
    await untilRow('web-01', 'forbidden from its next start on');
    assert.match(await change('Allow', 'web-01', false), /Merging of .*web-01.* is allowed/);
    assert.ok(!forbidsMerging(await definition('web-01')));
  });

  it('the page forbids merging of a guest at once, and allows it again', async () => {
    await change('Forbid', 'web-02', true);
    assert.ok(forbidsMerging(await definition('web-02')));
    await untilRow('web-02', 'QEMU has withdrawn its memory from KSM');
    await shoot(page, 'forbidden-now');
    await change('Allow', 'web-02', true);
    assert.ok(!forbidsMerging(await definition('web-02')));
    await untilRow('web-02', 'yes');
  });

  it('the page shows the guests while libvirt is away, and finds it again', async () => {
    await page.getByText('libvirt is connected.').waitFor();
    const units = ['libvirtd.service', 'libvirtd.socket', 'libvirtd-ro.socket', 'libvirtd-admin.socket'];
    await machine.run('systemctl', 'stop', ...units);
    await page.getByText('libvirt is not connected').waitFor({ timeout: LIBVIRT_MILLIS });
    for (const name of GUESTS) await rowOf(name).waitFor();
    await shoot(page, 'libvirt-away');
    await machine.run('systemctl', 'start', ...units.toReversed());
    await page.getByText('libvirt is connected.').waitFor({ timeout: LIBVIRT_MILLIS });
  });

  it("by keyboard alone the page sets a policy, pauses, resumes, and unmerges after a look at the guard's figures", async () => {
    const { keyboard } = page;
    const focused = (): Promise<string> =>
      page.evaluate('(document.activeElement.ariaLabel ?? document.activeElement.innerText).trim()');
    /** Goes on by Tab to what has this name. */
    const tabTo = async (name: string): Promise<void> => {
      for (let steps = 0; (await focused()) !== name; steps++) {
        assert.ok(steps < 60, `Tab leads to no ${name}, but to ${await focused()}`);
        await keyboard.press('Tab');
      }
    };
    const press = async (name: string): Promise<void> => {
      await tabTo(name);
      await keyboard.press('Enter');
    };
    const untilFocused = (name: string) =>
      eventually(
        async () => ((await focused()) === name ? true : undefined),
        () => `the focus is not on ${name}`,
      );

    await page.reload();
    await page.getByRole('heading', { name: '3 guests' }).waitFor();
    await page.getByRole('radio', { name: 'ksmtuned (in force)' }).waitFor();
    while ((await page.evaluate('document.activeElement.type')) !== 'radio') await keyboard.press('Tab');
    await keyboard.press('ArrowDown');
    await press('Set the policy');
    await page.getByText('adaptive (in force)').waitFor();
    await press('Back to ksmtuned, the configured policy');
    await page.getByText('ksmtuned (in force)').waitFor();

    await press('Pause…');
    await page.getByRole('dialog').waitFor();
    await press('Pause');
    await page.getByText('Paused by hand.').waitFor();
    await untilFocused('Pause…');
    await press('Resume');
    await page.getByText('Memory is being merged').waitFor();

    await untilMerged();
    await press('Unmerge…');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Memory that this takes').waitFor();
    await keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await untilFocused('Unmerge…');
    await keyboard.press('Enter');
    assert.match(
      await dialog.innerText(),
      /Memory that this takes\s+[1-4]\d\d\.\d.MiB\s+Available memory\s+\d+\.\d.GiB/,
    );
    await press('Unmerge');
    await page.getByRole('heading', { name: 'Everything is unmerged' }).waitFor();
    assert.equal(await sharing(), 0);
    await page.getByText('nothing is shared').waitFor();
    await shoot(page, 'unmerged');
    // Its button is gone: the focus is on what came of it, from where Tab leads on.
    assert.match(await focused(), /Unmerged/);
    await press('Resume');
    await page.getByText('Memory is being merged').waitFor();
    await untilMerged();
  });
});
