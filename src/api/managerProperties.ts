import { interface as dbus } from 'dbus-next';
import type { Retune } from '../core/retune.js';
import type { AgentState } from '../core/state.js';
import type { Commands } from './commands.js';
import { type VariantDict, retuneDict, unsigned } from './encode.js';
import { MANAGER_INTERFACE, UNKNOWN_PERCENT } from './names.js';

const { Interface, property, signal } = dbus;
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
] as const satisfies readonly (keyof ManagerProperties)[];
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
] as const satisfies readonly (keyof ManagerProperties)[];

/** The properties of org.samepaged1.Manager, which are the agent's state, and the signals of what changes. */
export class ManagerProperties extends Interface {
  protected state: AgentState;
  protected readonly commands: Commands;
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
