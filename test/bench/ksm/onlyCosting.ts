import { setTimeout as sleep } from 'node:timers/promises';
import { savingsOf } from '../../../src/core/savings.js';
import { KsmDirectory } from '../../../src/host/ksm.js';
import { pageSizeBytes } from '../../../src/host/sysfs.js';
import { offerMemory } from '../../../src/qemu/memoryOffer.js';
import { type QemuMonitor, returnedBy } from '../../../src/qemu/monitor.js';
import type { BootedGuestSpec } from '../../support/kvm/bootedGuest.js';
import { restoreKsm, saveKsm } from '../../support/kvm/ksm.js';
import { Lab } from '../../support/kvm/lab.js';
import { type Pass, SinglePasses } from './singlePass.js';

/**
 * `node dist/test/bench/ksm/onlyCosting.js`: what it saves to take guests out of KSM of whose memory hardly a page is shared. Some
 * five minutes.
 */

const MIB = 1024 ** 2;
const SETTLE_MILLIS = 3000;
const ALIKE: BootedGuestSpec['content'] = { commonMiB: 512, ownMiB: 64, rewrittenMiBPerSecond: 0 };
const GUESTS: Readonly<Record<string, BootedGuestSpec['content']>> = {
  ...{ alike1: ALIKE, alike2: ALIKE, alike3: ALIKE, alike4: ALIKE },
  unique: { commonMiB: 0, ownMiB: 2048, rewrittenMiBPerSecond: 0 },
  writing: { commonMiB: 0, ownMiB: 1024, rewrittenMiBPerSecond: 512 },
};
/** After so many passes everything has its record, and what is alike is merged. */
const LEARNING_PASSES = 4;
/** Under smart_scan a page that never was alike is looked at in one pass of nine. */
const PASSES = { 'smart_scan=0': 3, 'smart_scan=1': 18 } as const;
const COLUMNS = ['offered', 'a pass, smart_scan=0', 'a pass, smart_scan=1', 'records', 'saved', 'less records'];

function print(label: string, cells: readonly string[]): void {
  process.stdout.write(`${label.padEnd(32)} ${cells.map((cell) => cell.padStart(21)).join(' ')}\n`);
}

function meanMillis(passes: readonly Pass[]): string {
  return `${(passes.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0) / passes.length / 1000).toFixed(0)} ms`;
}

async function measure(ksmd: SinglePasses, label: string, offeredMiB: number): Promise<void> {
  const cells: string[] = [];
  for (const smartScan of [0, 1] as const) {
    await ksmd.set({ smartScan });
    cells.push(meanMillis(await ksmd.passes(PASSES[`smart_scan=${smartScan}`])));
  }
  const { savedBytes, bookkeepingBytes, profitBytes } = savingsOf(new KsmDirectory('').read(), pageSizeBytes(''));
  const memory = [bookkeepingBytes, savedBytes, profitBytes].map((bytes) => `${(bytes / MIB).toFixed(1)} MiB`);
  print(label, [`${offeredMiB} MiB`, ...cells, ...memory]);
}

function monitorOf(lab: Lab, guest: string): QemuMonitor {
  const execute = async (command: string, args: object = {}) => {
    const order = JSON.stringify({ execute: command, arguments: args });
    return returnedBy(JSON.parse(await lab.virsh('qemu-monitor-command', guest, order)));
  };
  return { taints: true, execute, [Symbol.dispose]: () => undefined };
}

/** KSM is restored, and the laboratory ends, at exit. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const saved = await saveKsm();
const lab = await Lab.start();
try {
  const guests = await Promise.all(
    Object.entries(GUESTS).map(([name, content]) => lab.startBootedGuest({ name, content })),
  );
  await Promise.all(guests.map((guest) => guest.ready));
  await sleep(SETTLE_MILLIS);
  let offeredMiB = Object.values(GUESTS).reduce((sum, { commonMiB, ownMiB }) => sum + commonMiB + ownMiB, 0);
  const ksmd = new SinglePasses();
  await ksmd.reset({ smartScan: 0 });
  await ksmd.passes(LEARNING_PASSES);
  print('CPU of ksmd, and memory', COLUMNS);
  await measure(ksmd, 'all guests', offeredMiB);
  for (const name of ['unique', 'writing']) {
    await offerMemory(monitorOf(lab, name), false, () => Promise.resolve(undefined));
    offeredMiB -= GUESTS[name]?.ownMiB ?? 0;
    await ksmd.passes(1);
    await measure(ksmd, `without the guest ${name}`, offeredMiB);
  }
} finally {
  await lab.stop();
  await restoreKsm(saved);
}
