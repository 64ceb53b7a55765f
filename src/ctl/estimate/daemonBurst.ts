import type { BusAddress } from '../../dbus/address.js';
import { Daemon } from '../../api/client.js';
import { stageOf } from '../../api/stage.js';
import { describeStage } from '../../core/mergeStage.js';
import { type Burst, type BurstState, EndedByOthers } from './burst.js';

/** A pause for what follows a burst: the policy decides again by itself, whatever becomes of this command. */
const REST_SECONDS = 600n;

/** A burst by the running samepaged, whose policy waits for as long as it takes. */
export class DaemonBurst implements Burst {
  private readonly address: BusAddress;
  private isBegun = false;

  private constructor(address: BusAddress) {
    this.address = address;
  }

  /** @throws NotRunning, Error when it may not merge. */
  static async open(address: BusAddress): Promise<DaemonBurst> {
    const { hold, dryRun } = await Daemon.with(address, (daemon) => daemon.properties());
    if (dryRun) throw new Error('samepaged is in a dry run and merges nothing: there is nothing to measure');
    if (hold !== '') throw new Error(`merging is ${hold} by hand: samepagectl resume first`);
    return new DaemonBurst(address);
  }

  async begin(longestMillis: number): Promise<void> {
    await this.command('Estimate', 't', [BigInt(Math.ceil(longestMillis / 1000))]);
    this.isBegun = true;
  }

  async read(): Promise<BurstState> {
    return Daemon.with(this.address, async (daemon) => {
      const { hold, lastRetune, savedBytes, freedBytes } = await daemon.properties();
      if (hold !== 'estimating') {
        this.isBegun = false;
        throw new EndedByOthers(
          `somebody ended the estimate: ${hold === '' ? 'samepaged decides again' : `${hold} by hand`}`,
        );
      }
      const stage = stageOf(lastRetune);
      const guests = await daemon.guests();
      return {
        isOver: stage?.name === 'done',
        stage: stage === undefined ? undefined : describeStage(stage),
        savedBytes,
        freedBytes,
        freedByGuest: new Map(guests.map((guest) => [guest.name, guest.freedBytes])),
      };
    });
  }

  async rest(): Promise<void> {
    await this.command('Pause', 't', [REST_SECONDS]);
  }

  async unmerge(): Promise<void> {
    await this.command('Unmerge', 'b', [false]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isBegun) await this.command('Resume');
  }

  private async command(member: string, signature = '', body: readonly unknown[] = []): Promise<void> {
    const { failure } = await Daemon.with(this.address, (daemon) => daemon.command(member, signature, body));
    if (failure !== undefined) throw new Error(`samepaged cannot do it: ${failure}`);
  }
}
