import { setTimeout as sleep } from 'node:timers/promises';
import { scenario, type GuestContent, type Scenario, type Step, type TimedStep } from '../../../src/simulation/step.js';
import { readMemoryFigures } from '../../../src/host/meminfo.js';
import { type BootedGuest, bootedGuestMiB } from '../../support/kvm/bootedGuest.js';
import type { Lab } from '../../support/kvm/lab.js';
import type { BenchOptions } from './options.js';
import { unlessAborted } from './unlessAborted.js';

const MIB = 1024 ** 2;
/** What a guest's kernel still does after the guest is ready. */
const SETTLE_MILLIS = 3000;
/** ksmtuned.conf's default for KSM_THRES_COEF. */
const DEFAULT_RESERVE_SHARE = 0.2;
/** Guests and reserve exceed memory by this. */
const SHORT_BY_BYTES = 256 * MIB;
/** What the machine needs besides the guests. */
const HEADROOM_BYTES = 1024 * MIB;

type Start = Extract<Step, { kind: 'start' }>;

interface OnStage {
  readonly guest: BootedGuest;
  readonly content: GuestContent;
}

/** The guests of a laboratory, and the steps of scenarios done with them. */
export class Stage {
  readonly #lab: Lab;
  readonly #signal: AbortSignal;
  readonly #guests = new Map<string, OnStage>();

  constructor(lab: Lab, signal: AbortSignal) {
    this.#lab = lab;
    this.#signal = signal;
  }

  /** These guests, ready, and no others. Those that are there already, with this content, stay. */
  async set(steps: readonly Step[]): Promise<void> {
    const wanted = new Map(starts(steps).map((step) => [step.guest, JSON.stringify(step.content)]));
    for (const [name, { content }] of this.#guests) {
      if (wanted.get(name) !== JSON.stringify(content)) await this.#destroy(name);
    }
    const missing = starts(steps).filter(({ guest }) => !this.#guests.has(guest));
    await this.take(missing);
    if (missing.length > 0) await sleep(SETTLE_MILLIS, undefined, { signal: this.#signal });
  }

  /** All at once. Every guest is ready, and every change made, when it resolves. */
  async take(steps: readonly Step[]): Promise<void> {
    await unlessAborted(Promise.all(steps.map((step) => this.#take(step))), this.#signal);
  }

  /** Each when its time comes, counted from `zeroMillis` of performance.now(); a guest is not waited for until it is ready. */
  async follow(steps: readonly TimedStep[], zeroMillis: number): Promise<void> {
    for (const { atMillis, step } of steps.toSorted((a, b) => a.atMillis - b.atMillis)) {
      await sleep(Math.max(zeroMillis + atMillis - performance.now(), 0), undefined, { signal: this.#signal });
      if (step.kind === 'start') await this.#start(step);
      else await this.#take(step);
    }
  }

  /** The guests that a scenario begins with, as they were. */
  async undo({ before, then, later = [] }: Scenario): Promise<void> {
    for (const step of [...then, ...later.map((each) => each.step)]) {
      if (step.kind === 'align') await this.#find(step.guest).diverge();
    }
    await this.set(before);
  }

  async #take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'start': {
        const guest = await this.#start(step);
        await guest.ready;
        return;
      }
      case 'stop':
        return this.#destroy(step.guest);
      case 'align':
        return this.#find(step.guest).align();
    }
  }

  async #start({ guest: name, content }: Start): Promise<BootedGuest> {
    const guest = await this.#lab.startBootedGuest({ name, content });
    this.#guests.set(name, { guest, content });
    return guest;
  }

  async #destroy(name: string): Promise<void> {
    await this.#lab.destroyGuest(name);
    this.#guests.delete(name);
  }

  #find(name: string): BootedGuest {
    const found = this.#guests.get(name);
    if (found === undefined) throw new Error(`there is no guest ${name}`);
    return found.guest;
  }
}

function starts(steps: readonly Step[]): Start[] {
  return steps.filter((step) => step.kind === 'start');
}

/** What libvirt says the guests have, in bytes, when most are there. */
function committedBytes(steps: readonly Step[]): number {
  const guests = new Map<string, number>();
  let most = 0;
  for (const step of steps) {
    if (step.kind === 'start') guests.set(step.guest, bootedGuestMiB({ name: step.guest, content: step.content }));
    if (step.kind === 'stop') guests.delete(step.guest);
    most = Math.max(
      most,
      [...guests.values()].reduce((sum, mebibytes) => sum + mebibytes, 0),
    );
  }
  return most * MIB;
}

/** How long a scenario is watched from the clock's start; undefined where that depends on when its gain is reached. */
export function watchedMillis({ lastsMillis }: Scenario, { forMillis }: Pick<BenchOptions, 'forMillis'>) {
  return forMillis ?? lastsMillis;
}

/**
 * KSM_THRES_*, the same for every tuner: the defaults where memory is plenty, and where it is to be short at least so much
 * that the guests the scenario begins with and the reserve exceed memory, which is ksmtuned's rule.
 */
export function reserveFor({ memory, before, then }: Scenario, totalBytes: number): Readonly<Record<string, number>> {
  if (memory === 'plenty') return {};
  const committed = committedBytes(before.length > 0 ? before : then);
  const bytes = Math.max(totalBytes * DEFAULT_RESERVE_SHARE, totalBytes - committed + SHORT_BY_BYTES);
  return { KSM_THRES_COEF: 0, KSM_THRES_CONST: Math.trunc(bytes / 1024) };
}

/** Why the scenarios do not fit into memory, in a sentence; undefined when they do. */
export function memoryObstacle({ scenarios, sizes }: BenchOptions): string | undefined {
  const needed = Math.max(
    ...scenarios.map((name) => {
      const { before, then, later = [] } = scenario(name, sizes);
      return committedBytes([...before, ...then, ...later.map(({ step }) => step)]);
    }),
  );
  const { memAvailableBytes: availableBytes = 0 } = readMemoryFigures('');
  if (needed + HEADROOM_BYTES <= availableBytes) return undefined;
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / MIB)} MiB`;
  return (
    `the guests need ${mebibytes(needed)} and the machine ${mebibytes(HEADROOM_BYTES)} besides, ` +
    `but only ${mebibytes(availableBytes)} are available: make them fewer or smaller (--guests, --common, --own)`
  );
}
