import { DBusError, Variant, interface as dbus } from 'dbus-next';
import { describeWrite } from '../core/ksm.js';
import { describeTrigger } from '../core/policy.js';
import type { Retune } from '../core/retune.js';
import type { AgentState } from '../core/state.js';

export const BUS_NAME = 'org.samepaged1';
export const OBJECT_PATH = '/org/samepaged1';
export const MANAGER_INTERFACE = 'org.samepaged1.Manager';

const { Interface, property, method, signal } = dbus;
const read = (signature: string) => property({ signature, access: 'read' });

type VariantDict = Record<string, Variant>;

/** org.samepaged1.Manager: the agent's state as properties, and the retune by hand. It decides nothing. */
export class Manager extends Interface {
  private state: AgentState;
  private readonly retune: () => Promise<Retune>;

  /** @param retune asks for a retune now and gives what came of it. */
  constructor(state: AgentState, retune: () => Promise<Retune>) {
    super(MANAGER_INTERFACE);
    this.state = state;
    this.retune = retune;
  }

  /** Takes a new state; announces what changed, and the retune when there was one. */
  update(state: AgentState): void {
    const before = this.properties();
    const retuned = state.lastRetune !== this.state.lastRetune ? state.lastRetune : undefined;
    this.state = state;
    const after = this.properties();
    const changed = Object.entries(after).filter(([name, value]) => value !== before[name]);
    if (retuned !== undefined) changed.push(['LastRetune', this.LastRetune]);
    if (changed.length > 0) Interface.emitPropertiesChanged(this, Object.fromEntries(changed));
    if (retuned !== undefined) this.Retuned(retuned);
  }

  @read('s') get Version(): string {
    return this.state.version;
  }
  @read('s') get Policy(): string {
    return this.state.policy;
  }
  @read('u') get Run(): number {
    return this.state.run;
  }
  @read('u') get PagesToScan(): number {
    return this.state.pagesToScan;
  }
  @read('u') get SleepMillisecs(): number {
    return this.state.sleepMillisecs;
  }
  @read('t') get SavedBytes(): bigint {
    return BigInt(this.state.savedBytes);
  }
  @read('u') get GuestCount(): number {
    return this.state.guestCount;
  }
  @read('b') get LibvirtConnected(): boolean {
    return this.state.libvirtConnected;
  }
  @read('b') get DryRun(): boolean {
    return this.state.dryRun;
  }
  @read('a{sv}') get LastRetune(): VariantDict {
    return this.state.lastRetune === undefined ? {} : retuneDict(this.state.lastRetune);
  }

  @method({ outSignature: 'a{sv}' })
  async Retune(): Promise<VariantDict> {
    const retune = await this.retune();
    if ('failure' in retune) throw new DBusError('org.samepaged1.Error.RetuneFailed', retune.failure.message);
    return retuneDict(retune);
  }

  @signal({ signature: 'a{sv}' })
  Retuned(retune: Retune): VariantDict {
    return retuneDict(retune);
  }

  private properties(): Record<string, unknown> {
    const { Version, Policy, Run, PagesToScan, SleepMillisecs, SavedBytes, GuestCount, LibvirtConnected, DryRun } =
      this;
    return { Version, Policy, Run, PagesToScan, SleepMillisecs, SavedBytes, GuestCount, LibvirtConnected, DryRun };
  }
}

/**
 * A retune as it goes over the bus. Sizes in bytes, RealtimeUSec in microseconds since 1970 as systemd's properties have it;
 * Changes and Problems are sentences. A failed retune has only Triggers, Policy and Failure.
 */
function retuneDict(retune: Retune): VariantDict {
  const common = {
    Triggers: new Variant('as', retune.triggers.map(describeTrigger)),
    Policy: new Variant('s', retune.policy),
  };
  if ('failure' in retune) return { ...common, Failure: new Variant('s', retune.failure.message) };
  const { sample, decision, applied } = retune;
  return {
    ...common,
    Reason: new Variant('s', decision.reason),
    Sentence: new Variant('s', decision.sentence),
    Changes: new Variant('as', applied.writes.map(describeWrite)),
    Problems: new Variant(
      'as',
      applied.problems.map(({ sentence }) => sentence),
    ),
    RealtimeUSec: new Variant('t', BigInt(sample.takenAtMillis) * 1000n),
    TotalBytes: new Variant('t', BigInt(sample.memory.totalBytes)),
    FreeBytes: new Variant('t', BigInt(sample.memory.freeBytes)),
    CommittedBytes: new Variant('t', BigInt(sample.memory.committedBytes)),
    GuestCount: new Variant('u', sample.guests.length),
  };
}
