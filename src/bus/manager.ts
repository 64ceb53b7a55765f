import { DBusError, Variant, interface as dbus } from 'dbus-next';
import type { Hold } from '../core/hold.js';
import { describeWrite } from '../core/ksm.js';
import { describeTrigger } from '../core/policy.js';
import type { Retune } from '../core/retune.js';
import type { AgentState } from '../core/state.js';

export const BUS_NAME = 'org.samepaged1';
export const OBJECT_PATH = '/org/samepaged1';
export const MANAGER_INTERFACE = 'org.samepaged1.Manager';
/** The error of an Unmerge that may not fit into memory. */
export const REFUSED = 'org.samepaged1.Error.Refused';

/** A hundred years. */
const LONGEST_PAUSE_SECONDS = 3_155_760_000n;

const { Interface, property, method, signal } = dbus;
const read = (signature: string) => property({ signature, access: 'read' });

type VariantDict = Record<string, Variant>;

/** What the bus can ask of the agent; each gives the turn of the loop that followed. */
export interface Commands {
  readonly retune: () => Promise<Retune>;
  /** Sets the hold, or ends it. */
  readonly hold: (hold: Hold | undefined, by: string) => Promise<Retune>;
  /** Why unmerging could take the host out of memory. */
  readonly unmergeObstacle: () => string | undefined;
}

/** org.samepaged1.Manager: the agent's state as properties, and what can be done by hand. It decides nothing. */
export class Manager extends Interface {
  private state: AgentState;
  private readonly commands: Commands;

  constructor(state: AgentState, commands: Commands) {
    super(MANAGER_INTERFACE);
    this.state = state;
    this.commands = commands;
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

  /** The hold in force: `paused`, `stopped`, `unmerged`, or nothing. */
  @read('s') get Hold(): string {
    return this.state.hold?.kind ?? '';
  }
  /** When the hold ends by itself, microseconds since 1970; 0 when it does not. */
  @read('t') get HoldUntilUSec(): bigint {
    return BigInt(this.state.hold?.untilMillis ?? 0) * 1000n;
  }

  @method({ outSignature: 'a{sv}' })
  async Retune(): Promise<VariantDict> {
    return reply(await this.commands.retune());
  }

  /** Rests for `seconds`; 0: until Resume. */
  @method({ inSignature: 't', outSignature: 'a{sv}' })
  async Pause(seconds: bigint): Promise<VariantDict> {
    if (seconds > LONGEST_PAUSE_SECONDS) {
      throw new DBusError(
        'org.freedesktop.DBus.Error.InvalidArgs',
        `a pause lasts at most ${LONGEST_PAUSE_SECONDS} seconds; 0 is until Resume`,
      );
    }
    const untilMillis = seconds === 0n ? {} : { untilMillis: Date.now() + Number(seconds) * 1000 };
    return reply(await this.commands.hold({ kind: 'paused', ...untilMillis }, 'D-Bus Pause'));
  }

  @method({ outSignature: 'a{sv}' })
  async Stop(): Promise<VariantDict> {
    return reply(await this.commands.hold({ kind: 'stopped' }, 'D-Bus Stop'));
  }

  @method({ outSignature: 'a{sv}' })
  async Resume(): Promise<VariantDict> {
    return reply(await this.commands.hold(undefined, 'D-Bus Resume'));
  }

  /** Answers when everything is unmerged. Refused when it may not fit into memory, unless forced. */
  @method({ inSignature: 'b', outSignature: 'a{sv}' })
  async Unmerge(force: boolean): Promise<VariantDict> {
    const obstacle = force ? undefined : this.commands.unmergeObstacle();
    if (obstacle !== undefined) throw new DBusError(REFUSED, obstacle);
    return reply(await this.commands.hold({ kind: 'unmerged' }, 'D-Bus Unmerge'));
  }

  @signal({ signature: 'a{sv}' })
  Retuned(retune: Retune): VariantDict {
    return retuneDict(retune);
  }

  private properties(): Record<string, unknown> {
    const { Version, Policy, Run, PagesToScan, SleepMillisecs, SavedBytes, GuestCount } = this;
    const { LibvirtConnected, DryRun, Hold, HoldUntilUSec } = this;
    return {
      ...{ Version, Policy, Run, PagesToScan, SleepMillisecs, SavedBytes, GuestCount },
      ...{ LibvirtConnected, DryRun, Hold, HoldUntilUSec },
    };
  }
}

function reply(retune: Retune): VariantDict {
  if ('failure' in retune) throw new DBusError('org.samepaged1.Error.RetuneFailed', retune.failure.message);
  return retuneDict(retune);
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
