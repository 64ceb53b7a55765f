// A virtual host that is looked at pass by pass.
import assert from 'node:assert/strict';
import type { KsmSettings, KsmState } from '../../../src/core/ksm.js';
import { VirtualHost } from '../../../src/simulation/host.js';
import type { KernelVersion } from '../../../src/core/kernelVersion.js';
import type { GuestContent } from '../../../src/simulation/step.js';

const PAGES_PER_MIB = 256;
const NOTHING: GuestContent = { commonMiB: 0, ownMiB: 0, rewrittenMiBPerSecond: 0 };
const SLEEP_MILLIS = 1000;

/** A host whose ksmd goes over all memory at once, and then sleeps: a second is a pass. */
export function host(
  contents: readonly Partial<GuestContent>[],
  settings: KsmSettings = {},
  kernel?: KernelVersion,
  hugePages = true,
): VirtualHost {
  const made = new VirtualHost({ memoryMiB: 65536, hugePages, ...(kernel === undefined ? {} : { kernel }) });
  for (const [index, content] of contents.entries()) start(made, `guest${index + 1}`, content);
  set(made, { pagesToScan: 1e9, sleepMillisecs: SLEEP_MILLIS, ...settings, run: 1 });
  return made;
}

export function start(on: VirtualHost, guest: string, content: Partial<GuestContent>): void {
  on.take({ kind: 'start', guest, content: { ...NOTHING, ...content } }, true);
}

export function set(on: VirtualHost, settings: KsmSettings): void {
  for (const [name, value] of Object.entries(settings))
    assert.equal(on.write(name as keyof KsmSettings, value), undefined);
}

/** Lets ksmd end so many passes. */
export function passes(on: VirtualHost, count: number): KsmState {
  const until = on.ksmd.fullScans + count;
  while (on.ksmd.fullScans < until) on.advanceTo(on.nowMillis + 1);
  return on.ksmd.state();
}

export const mib = (count: number) => count * PAGES_PER_MIB;

/** shared, sharing, unshared, volatile, in MiB. */
export function counted({
  pagesShared,
  pagesSharing,
  pagesUnshared = NaN,
  pagesVolatile = NaN,
}: KsmState): readonly number[] {
  return [pagesShared, pagesSharing, pagesUnshared, pagesVolatile].map((pages) => pages / PAGES_PER_MIB);
}
