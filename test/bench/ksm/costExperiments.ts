import { setTimeout as sleep } from 'node:timers/promises';
import type { BootedGuest, BootedGuestSpec } from '../../support/kvm/bootedGuest.js';
import type { Lab } from '../../support/kvm/lab.js';
import type { Pass, SinglePasses } from './singlePass.js';

/** The passes of one experiment, in order, by what went before them. */
export interface Experiment {
  readonly name: string;
  readonly passes: Readonly<Record<string, readonly Pass[]>>;
}

type Amounts = Partial<BootedGuestSpec['content']> & Pick<BootedGuestSpec, 'untouchedMiB'>;

/** What a guest's kernel still does after the guest is ready. */
const SETTLE_MILLIS = 1500;

/** Guests made for one question each, and passes over them. */
export class CostExperiments {
  readonly #lab: Lab;
  readonly #ksmd: SinglePasses;

  constructor(lab: Lab, ksmd: SinglePasses) {
    this.#lab = lab;
    this.#ksmd = ksmd;
  }

  /** Pages that nobody else has: with smart_scan off every pass looks at all of them. */
  async unique(...guestsMiB: readonly number[]): Promise<Experiment> {
    const guests = guestsMiB.map((ownMiB) => ({ ownMiB }));
    return this.#with(`unique, ${guestsMiB.join(' + ')} MiB`, guests, async () => {
      await this.#ksmd.reset({ smartScan: 0 });
      const all = await this.#ksmd.passes(4);
      await this.#ksmd.set({ smartScan: 1 });
      return { 'smart_scan=0': all, 'then smart_scan=1': await this.#ksmd.passes(8) };
    });
  }

  /** Guests alike, and then one more. */
  async alike(commonMiB: number, guests: number): Promise<Experiment> {
    const name = `alike, ${guests} guests of ${commonMiB} MiB`;
    return this.#with(
      name,
      Array.from({ length: guests }, () => ({ commonMiB })),
      async () => {
        await this.#ksmd.reset({ smartScan: 0 });
        const first = await this.#ksmd.passes(6);
        const late = await this.#start('late', { commonMiB });
        await sleep(SETTLE_MILLIS);
        const then = await this.#ksmd.passes(4);
        await this.#lab.destroyGuest(late.name);
        return { 'smart_scan=0': first, 'one guest more': then };
      },
    );
  }

  /** Every page has changed since the pass before. */
  async changing(ownMiB: number): Promise<Experiment> {
    return this.#with(`changing, ${ownMiB} MiB`, [{ ownMiB, rewrittenMiBPerSecond: ownMiB * 2 }], async () => {
      await this.#ksmd.reset({ smartScan: 0 });
      const passes: Pass[] = [];
      for (let index = 1; index <= 5; index += 1) {
        passes.push(await this.#ksmd.pass());
        await sleep(1000);
      }
      return { 'smart_scan=0': passes };
    });
  }

  async zeros(zeroMiB: number): Promise<Experiment> {
    return this.#with(`zeros, ${zeroMiB} MiB`, [{ zeroMiB }], async () => {
      await this.#ksmd.reset({ smartScan: 0, useZeroPages: 0 });
      const merged = await this.#ksmd.passes(4);
      await this.#ksmd.reset({ smartScan: 0, useZeroPages: 1 });
      const mapped = await this.#ksmd.passes(4);
      await this.#ksmd.set({ useZeroPages: 0 });
      return { 'use_zero_pages=0': merged, 'use_zero_pages=1, after an unmerge': mapped };
    });
  }

  async absent(untouchedMiB: number): Promise<Experiment> {
    return this.#with(`not present, ${untouchedMiB} MiB`, [{ untouchedMiB }], async () => {
      await this.#ksmd.reset({ smartScan: 0 });
      return { 'smart_scan=0': await this.#ksmd.passes(3) };
    });
  }

  /** What KSM's counters say while pages of guests that are all merged turn alike, and then unlike again. */
  async quietChange(smartScan: 0 | 1): Promise<Experiment> {
    const amounts = { commonMiB: 256, ownMiB: 256 };
    return this.#with(`quiet change, smart_scan=${smartScan}`, [amounts, amounts], async (guests) => {
      await this.#ksmd.reset({ smartScan });
      const before = await this.#ksmd.passes(16);
      await Promise.all(guests.map((guest) => guest.align()));
      const alike = await this.#ksmd.passes(20);
      await Promise.all(guests.map((guest) => guest.diverge()));
      return { before, 'own pages alike': alike, 'own pages unlike again': await this.#ksmd.passes(4) };
    });
  }

  async #with(
    name: string,
    all: readonly Amounts[],
    work: (guests: readonly BootedGuest[]) => Promise<Experiment['passes']>,
  ): Promise<Experiment> {
    const guests: BootedGuest[] = [];
    for (const [index, amounts] of all.entries()) guests.push(await this.#start(`cost${index}`, amounts));
    await sleep(SETTLE_MILLIS);
    const passes = await work(guests);
    for (const guest of guests) await this.#lab.destroyGuest(guest.name);
    return { name, passes };
  }

  async #start(name: string, { untouchedMiB = 0, ...content }: Amounts): Promise<BootedGuest> {
    const whole = { commonMiB: 0, ownMiB: 0, rewrittenMiBPerSecond: 0, ...content };
    const guest = await this.#lab.startBootedGuest({ name, content: whole, untouchedMiB });
    await guest.ready;
    return guest;
  }
}
