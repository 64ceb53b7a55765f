import { DBusError, Variant, interface as dbus } from 'dbus-next';
import type { Retune } from '../core/retune.js';
import type { AgentState } from '../core/state.js';
import { namedPolicy, type Commands } from './commands.js';
import {
  type VariantDict,
  configurationDict,
  explanationDict,
  guestDicts,
  metricsBytes,
  reply,
  retuneDict,
  unsigned,
} from './encode.js';
import { DEFAULT_POLICY, INVALID_ARGS, MANAGER_INTERFACE, REFUSED, UNKNOWN_PERCENT } from './names.js';

/** The error of an Estimate under a hold. */
const HELD = 'org.samepaged1.Error.Held';
/** A hundred years. */
const LONGEST_PAUSE_SECONDS = 3_155_760_000n;
const LONGEST_ESTIMATE_SECONDS = 3600n;
/** Who asked for an estimate has so long to have its pages unmerged, before the policy decides again. */
const AFTER_ESTIMATE_MILLIS = 600_000;

const { Interface, property, method, signal } = dbus;
const read = (signature: string) => property({ signature, access: 'read' });

/** What is worth a signal of its own; all else changes at every retune of a busy loop. */
const STEADY = [
  'Policy',
  'ConfiguredPolicy',
  'Run',
  'GuestCount',
  'LibvirtConnected',
  'Hold',
  'HoldUntilUSec',
] as const satisfies readonly (keyof Manager)[];
const RESTLESS = [
  'PagesToScan',
  'SleepMillisecs',
  'SavedBytes',
  'SharedBytes',
  'ZeroBytes',
  'FreedBytes',
  'SharingRatio',
  'KsmdCpuPercent',
  'BookkeepingBytes',
  'ProfitBytes',
  'AvailableBytes',
  'GuestMemoryBytes',
  'NextLookUSec',
] as const satisfies readonly (keyof Manager)[];

/** org.samepaged1.Manager: the agent's state as properties, and what can be done by hand. It decides nothing. */
export class Manager extends Interface {
  private state: AgentState;
  private readonly commands: Commands;
  /** What was announced last. */
  private announced: Readonly<Record<string, unknown>>;

  constructor(state: AgentState, commands: Commands) {
    super(MANAGER_INTERFACE);
    this.state = state;
    this.commands = commands;
    this.announced = this.values();
  }

  /**
   * Takes a new state, and signals the retune when there was one. What changed is announced at once where something steady
   * did; otherwise it waits for `announce`.
   */
  update(state: AgentState): void {
    const retuned = state.lastRetune !== this.state.lastRetune ? state.lastRetune : undefined;
    this.state = state;
    const values = this.values();
    if (STEADY.some((name) => values[name] !== this.announced[name])) this.announce();
    if (retuned !== undefined) this.Retuned(retuned);
  }

  /** Sends PropertiesChanged with all that has changed since it last did. */
  announce(): void {
    const values = this.values();
    const changed = Object.keys(values).filter((name) => values[name] !== this.announced[name]);
    this.announced = values;
    if (changed.length === 0) return;
    const entries = changed.map((name) => [name, name === 'LastRetune' ? this.LastRetune : values[name]]);
    Interface.emitPropertiesChanged(this, Object.fromEntries(entries) as Record<string, unknown>);
  }

  @read('s') get Version(): string {
    return this.state.version;
  }
  @read('b') get DryRun(): boolean {
    return this.state.dryRun;
  }
  /** The policy in force. */
  @read('s') get Policy(): string {
    return this.state.policy;
  }
  /** The policy that the configuration names. */
  @read('s') get ConfiguredPolicy(): string {
    return this.state.configuredPolicy;
  }
  /** The file that the configuration is read from; FILE.d/*.conf follow it. */
  @read('s') get ConfigFile(): string {
    return this.state.configFile;
  }
  /** What SetPolicy takes, beside `default`. */
  @read('as') get Policies(): readonly string[] {
    return [...this.commands.policies];
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
    return unsigned(this.state.savings.savedBytes);
  }
  /** Of SavedBytes: one page for each further user of a shared page. */
  @read('t') get SharedBytes(): bigint {
    return unsigned(this.state.savings.sharedBytes);
  }
  /** Of SavedBytes: pages that KSM mapped to the kernel's zero page. */
  @read('t') get ZeroBytes(): bigint {
    return unsigned(this.state.savings.zeroBytes);
  }
  /** Of SavedBytes: what splitting huge pages gave back, as far as it was watched; no counter of KSM shows it. */
  @read('t') get FreedBytes(): bigint {
    return unsigned(this.state.savings.freedBytes);
  }
  /** Pages of guests that have gone, which the kernel counts as shared until ksmd comes by; not in SavedBytes. */
  @read('t') get BeingFreedBytes(): bigint {
    return unsigned(this.state.savings.beingFreedBytes);
  }
  /** Pages saved for each page that is kept for all; 0 while nothing is shared. */
  @read('d') get SharingRatio(): number {
    return Math.round(this.state.sharingRatio * 100) / 100;
  }
  /** ksmd's CPU time between the last two retunes, percent of one core; below 0 where that is not known. */
  @read('d') get KsmdCpuPercent(): number {
    const { ksmdCpuPercent } = this.state;
    return ksmdCpuPercent === undefined ? UNKNOWN_PERCENT : Math.round(ksmdCpuPercent * 10) / 10;
  }
  /** Memory that KSM's own bookkeeping takes. */
  @read('t') get BookkeepingBytes(): bigint {
    return unsigned(this.state.savings.bookkeepingBytes);
  }
  /** SavedBytes less the bookkeeping; below 0 where merging costs more memory than it saves. */
  @read('x') get ProfitBytes(): bigint {
    return BigInt(Math.round(this.state.savings.profitBytes));
  }
  /** What the host could hand out without swapping. */
  @read('t') get AvailableBytes(): bigint {
    return unsigned(this.state.availableBytes);
  }
  @read('u') get GuestCount(): number {
    return this.state.guestCount;
  }
  /** The guests' memory that is in RAM, merged pages counted for each guest that has them. */
  @read('t') get GuestMemoryBytes(): bigint {
    return unsigned(this.state.guestMemoryBytes);
  }
  @read('b') get LibvirtConnected(): boolean {
    return this.state.libvirtConnected;
  }
  /** The hold in force: `paused`, `stopped`, `unmerged`, `estimating`, or nothing. */
  @read('s') get Hold(): string {
    return this.state.hold?.kind ?? '';
  }
  /** When the hold ends by itself, microseconds since 1970; 0 when it does not. */
  @read('t') get HoldUntilUSec(): bigint {
    return unsigned(this.state.hold?.untilMillis ?? 0) * 1000n;
  }
  @read('a{sv}') get LastRetune(): VariantDict {
    return this.state.lastRetune === undefined ? {} : retuneDict(this.state.lastRetune);
  }
  /** When the next retune comes if nothing happens before, microseconds since 1970; 0 before the first. */
  @read('t') get NextLookUSec(): bigint {
    return unsigned(this.state.nextRetuneMillis ?? 0) * 1000n;
  }

  @method({ outSignature: 'a{sv}' })
  async Retune(): Promise<VariantDict> {
    return reply(await this.commands.retune());
  }

  /** Rests for `seconds`; 0: until Resume. */
  @method({ inSignature: 't', outSignature: 'a{sv}' })
  async Pause(seconds: bigint): Promise<VariantDict> {
    if (seconds > LONGEST_PAUSE_SECONDS) {
      throw new DBusError(INVALID_ARGS, `a pause lasts at most ${LONGEST_PAUSE_SECONDS} seconds; 0 is until Resume`);
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
    return reply(await this.commands.hold({ kind: 'unmerged', isForced: force }, 'D-Bus Unmerge'));
  }

  /**
   * One burst at the CPU budget for at most `seconds`, whatever memory there is; then ksmd rests until Resume, ten minutes at
   * most.
   */
  @method({ inSignature: 't', outSignature: 'a{sv}' })
  async Estimate(seconds: bigint): Promise<VariantDict> {
    if (seconds < 1n || seconds > LONGEST_ESTIMATE_SECONDS) {
      throw new DBusError(INVALID_ARGS, `an estimate takes 1 to ${LONGEST_ESTIMATE_SECONDS} seconds`);
    }
    const { hold } = this.state;
    if (hold !== undefined) throw new DBusError(HELD, `${hold.kind} by hand: samepagectl resume first`);
    const longestMillis = Number(seconds) * 1000;
    const untilMillis = Date.now() + longestMillis + AFTER_ESTIMATE_MILLIS;
    return reply(await this.commands.hold({ kind: 'estimating', longestMillis, untilMillis }, 'D-Bus Estimate'));
  }

  /** Sets the policy, until the configuration names another one or the host is booted; `default` ends that. */
  @method({ inSignature: 's', outSignature: 'a{sv}' })
  async SetPolicy(name: string): Promise<VariantDict> {
    const policy = name === DEFAULT_POLICY ? undefined : namedPolicy(this.commands, name);
    return reply(await this.commands.setPolicy(policy, 'D-Bus SetPolicy'));
  }

  /** As SIGHUP. Taken, Problems with file:line each, and where it was taken the retune that followed. */
  @method({ outSignature: 'a{sv}' })
  async Reload(): Promise<VariantDict> {
    const { problems, retune } = await this.commands.reload();
    const answer = { Taken: new Variant('b', retune !== undefined), Problems: new Variant('as', [...problems]) };
    return retune === undefined ? answer : { ...answer, Retune: new Variant('a{sv}', retuneDict(retune)) };
  }

  /** The last retune worked through; see explanationDict. */
  @method({ outSignature: 'a{sv}' })
  Explain(): VariantDict {
    const { lastRetune } = this.state;
    return lastRetune === undefined ? {} : explanationDict(lastRetune, this.commands.entries());
  }

  /** The guests of the last retune whose names come after `after`, in the order of their names, a hundred at most. */
  @method({ inSignature: 's', outSignature: 'a(sa{sv})' })
  async ListGuests(after: string): Promise<[name: string, guest: VariantDict][]> {
    const { lastRetune } = this.state;
    if (lastRetune === undefined || 'failure' in lastRetune) return [];
    const { sample } = lastRetune;
    return guestDicts(sample, await this.commands.guestDetails(), after);
  }

  /** The configuration in force; see configurationDict. */
  @method({ outSignature: 'a{sv}' })
  async GetConfiguration(): Promise<VariantDict> {
    return configurationDict(await this.commands.configuration());
  }

  /**
   * Lines: what was recorded since then, microseconds since 1970, a record a line as in the history's file. NextUSec: from
   * when on there is more, to be asked for with another call.
   */
  @method({ inSignature: 't', outSignature: 'a{sv}' })
  GetHistory(sinceUSec: bigint): VariantDict {
    const { text, nextMillis } = this.commands.history(Number(sinceUSec / 1000n));
    const lines = { Lines: new Variant('s', text) };
    return nextMillis === undefined ? lines : { ...lines, NextUSec: new Variant('t', BigInt(nextMillis) * 1000n) };
  }

  /** The page of metrics that Prometheus reads, compressed (gzip): with hundreds of guests it is long. */
  @method({ outSignature: 'ay' })
  async GetMetrics(): Promise<Buffer> {
    return metricsBytes(await this.commands.metrics());
  }

  @signal({ signature: 'a{sv}' })
  Retuned(retune: Retune): VariantDict {
    return retuneDict(retune);
  }

  /** What can change, by its property; of LastRetune the retune, which is another one each time. */
  private values(): Readonly<Record<string, unknown>> {
    const names = [...STEADY, ...RESTLESS];
    return { ...Object.fromEntries(names.map((name) => [name, this[name]])), LastRetune: this.state.lastRetune };
  }
}
