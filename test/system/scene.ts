import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MessageBus } from 'dbus-next';
import { readMemoryFigures } from '../../src/host/meminfo.js';
import { hostMemory } from '../../src/core/memory.js';
import { DaemonProcess, KSMD_DEADLINE_MILLIS, eventually } from '../support/daemon.js';
import { DomainEvents } from '../support/dbus/domainEvents.js';
import { type SavedKsm, readKsm, resetKsm, restoreKsm, saveKsm } from '../support/kvm/ksm.js';
import { Lab } from '../support/kvm/lab.js';

const MIB = 1024 ** 2;

/** Guests of 200 MiB, 60 % of it common to all: QEMU keeps a second copy, so each takes about 440 MiB. QEMU fills 65 MiB a second. */
export const GUEST = { commonMiB: 120, ownMiB: 80 } as const;
/** Quickly there and quickly merged, where the reserve does not count. */
export const SMALL_GUEST = { commonMiB: 60, ownMiB: 20 } as const;
/** Larger, and 60 % from the same common pages. */
export const LARGE_GUEST = { commonMiB: 300, ownMiB: 200 } as const;
/**
 * Free memory may shrink by this before merging begins: two guests fit; a large third does not, even while its event comes
 * before QEMU has filled a third of its memory, as it does on a busy disk.
 */
const SLACK_BYTES = 1050 * MIB;

/** Merging from the first decision on, fast, and of every page: with smart_scan some equal pages of two guests never meet. */
export const EAGER = 'KSM_THRES_COEF=100\nKSM_NPAGES_MIN=20000\nKSM_NPAGES_MAX=20000\nKSM_SMART_SCAN=0';

/** A laboratory with the real KSM reset to the kernel's defaults, and samepaged beside it. Everything ends with it. */
export class Scene implements AsyncDisposable {
  readonly lab: Lab;
  readonly events: DomainEvents;
  readonly client: MessageBus;
  private readonly saved: SavedKsm;

  private constructor(saved: SavedKsm, lab: Lab, client: MessageBus, events: DomainEvents) {
    this.saved = saved;
    this.lab = lab;
    this.client = client;
    this.events = events;
  }

  static async open(): Promise<Scene> {
    const saved = await saveKsm();
    try {
      await resetKsm();
      const lab = await Lab.start();
      const client = await lab.bus.connect();
      return new Scene(saved, lab, client, await DomainEvents.on(client));
    } catch (error) {
      await restoreKsm(saved);
      throw error;
    }
  }

  /** The state directory of every samepaged of this scene. */
  get stateDirectory(): string {
    return join(this.lab.bus.directory, 'state');
  }

  get hasLedger(): boolean {
    return existsSync(join(this.stateDirectory, 'ledger.json'));
  }

  /**
   * Starts samepaged and waits for its first decision. The reserve is set so that merging begins with the third guest; the
   * timer is an hour away and no second looks are taken, so whatever happens, events made it happen.
   */
  async startDaemon(extraConfig = '', uid?: number): Promise<DaemonProcess> {
    const freeBytes = await steadyFreeBytes();
    const reserveKb = Math.trunc((freeBytes - SLACK_BYTES) / 1024);
    const config = join(this.lab.bus.directory, 'samepaged.conf');
    const lines = [
      'KSM_MONITOR_INTERVAL=3600',
      'KSM_EVENT_RECHECK=',
      'KSM_THRES_COEF=0',
      `KSM_THRES_CONST=${reserveKb}`,
      'DEBUG=1',
      'PIDFILE=',
      extraConfig,
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    const args = ['--bus', this.lab.address, '--config', config];
    const daemon = DaemonProcess.start(args, { STATE_DIRECTORY: this.stateDirectory }, { uid });
    await daemon.line(/libvirt is connected/);
    return daemon;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.events[Symbol.dispose]();
    await this.lab.stop();
    await restoreKsm(this.saved);
  }
}

/** Free memory, once the kernel has taken back that of the guests of an earlier test. */
async function steadyFreeBytes(): Promise<number> {
  const free = () => hostMemory(readMemoryFigures(''), [], 'corrected').freeBytes;
  let [last, steadySince] = [free(), performance.now()];
  return eventually(() => {
    const now = free();
    if (Math.abs(now - last) > 32 * MIB) [last, steadySince] = [now, performance.now()];
    return performance.now() - steadySince > 1000 ? now : undefined;
  });
}

/** Waits until a file of the real KSM satisfies (a failure shows what `daemon` said); gives performance.now() of the moment it was seen. */
export async function untilKsm(
  file: string,
  satisfies: (value: number) => boolean,
  daemon?: DaemonProcess,
): Promise<number> {
  let last = '';
  return eventually(
    async () => {
      last = (await readKsm())[file] ?? '';
      return satisfies(Number(last)) ? performance.now() : undefined;
    },
    () => `${file} is still ${last}${daemon === undefined ? '' : `:\n${daemon.output}`}`,
    KSMD_DEADLINE_MILLIS,
  );
}
