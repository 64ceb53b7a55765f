import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DaemonProcess, type LogLine, eventually } from './daemon.js';
import { HostTree } from './hostTree.js';
import { ManagerClient } from './dbus/managerClient.js';
import { type BusOptions, PrivateBus } from './dbus/privateBus.js';

/** KEY=VALUE of a ksmtuned.conf. */
export type Settings = Readonly<Record<string, string | number>>;

export interface AgentHostOptions {
  /** One of fixtures/hosts. */
  readonly host?: string;
  /** Added to, and winning over, a timer that never comes and DEBUG=1, with which the log shows every decision. */
  readonly config?: Settings;
  /** Undefined: nobody answers at the address. */
  readonly bus?: BusOptions;
}

interface StartOptions {
  readonly libvirt?: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly nodeFlags?: readonly string[];
}

const QUIET: Settings = { KSM_MONITOR_INTERVAL: 3600, DEBUG: 1 };
const UNSET = { STATE_DIRECTORY: undefined, RUNTIME_DIRECTORY: undefined, JOURNAL_STREAM: undefined };

/** A host's files, a configuration and perhaps a bus, for the real samepaged to run on. Ends the daemons it started. */
export class AgentHost implements AsyncDisposable {
  readonly tree: HostTree;
  readonly address: string;
  private readonly privateBus: PrivateBus | undefined;
  private readonly daemons: DaemonProcess[] = [];

  private constructor(tree: HostTree, privateBus: PrivateBus | undefined) {
    this.tree = tree;
    this.privateBus = privateBus;
    this.address = privateBus?.address ?? `unix:path=${tree.root}/bus`;
  }

  static async create({ host, config = {}, bus }: AgentHostOptions = {}): Promise<AgentHost> {
    const privateBus = bus === undefined ? undefined : await PrivateBus.start(bus);
    const made = new AgentHost(HostTree.create(host), privateBus);
    made.configure(config);
    return made;
  }

  /** @throws Error on a host without a bus. */
  get bus(): PrivateBus {
    if (this.privateBus === undefined) throw new Error('this host has no bus');
    return this.privateBus;
  }

  /** A caller of samepaged of its own. */
  async manager(): Promise<ManagerClient> {
    return ManagerClient.on(await this.bus.connect());
  }

  get configFile(): string {
    return join(this.tree.root, 'etc/ksmtuned.conf');
  }

  get ledgerFile(): string {
    return join(this.tree.root, 'var/lib/samepaged/ledger.json');
  }

  /** Where a hold survives a restart. */
  get holdFile(): string {
    return join(this.tree.root, 'var/lib/samepaged/hold.json');
  }

  configure(settings: Settings): void {
    const lines = Object.entries({ ...QUIET, ...settings }).map(([key, value]) => `${key}=${String(value)}\n`);
    this.tree.write('etc/ksmtuned.conf', lines.join(''));
  }

  /** What every start on this host is told. */
  args(libvirt = 'none'): string[] {
    return ['--root', this.tree.root, '--config', this.configFile, '--bus', this.address, '--libvirt', libvirt];
  }

  /** Starts samepaged; `libvirt` is what its --libvirt says. */
  start({ libvirt = 'none', args = [], env = {}, nodeFlags }: StartOptions = {}): DaemonProcess {
    const daemon = DaemonProcess.start(
      [...this.args(libvirt), ...args],
      { ...UNSET, ...env },
      nodeFlags && { nodeFlags },
    );
    this.daemons.push(daemon);
    return daemon;
  }

  /** `samepaged --give-back`, to its end. */
  async giveBack(): Promise<{ readonly status: number | NodeJS.Signals | null; readonly output: string }> {
    const daemon = this.start({ args: ['--give-back'] });
    return { status: await ended(daemon), output: daemon.output };
  }

  /** As start(), and waits for the first decision. */
  async started(options: StartOptions = {}): Promise<DaemonProcess> {
    const daemon = this.start(options);
    await decision(daemon, 1);
    return daemon;
  }

  /** 2.2 GiB of 16 are free, with a reserve of 3.2: ksmd is to merge, faster at each look. */
  memoryIsShort(): void {
    this.tree.setMeminfo({ MemFree: 300_000 });
  }

  /** 10.5 GiB of 16 are free: ksmd is to stop. */
  memoryIsEnough(): void {
    this.tree.setMeminfo({ MemFree: 9_000_000 });
  }

  /** run, pages_to_scan and sleep_millisecs as they are now. */
  get pace(): string {
    return ['run', 'pages_to_scan', 'sleep_millisecs'].map((file) => this.tree.ksm(file)).join(' ');
  }

  /** Waits until `pace` is this. */
  async paceIs(pace: string): Promise<void> {
    await eventually(
      () => this.pace === pace,
      () => `run, pages_to_scan, sleep_millisecs are ${this.pace}, not ${pace}:\n${this.output}`,
    );
  }

  /** Every file of the KSM directory, byte for byte. */
  ksmFiles(): Record<string, string> {
    const directory = join(this.tree.root, 'sys/kernel/mm/ksm');
    const names = readdirSync(directory).sort();
    return Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name), 'latin1')]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.daemons) await daemon[Symbol.asyncDispose]();
    await this.privateBus?.stop();
    this.tree[Symbol.dispose]();
  }

  private get output(): string {
    return this.daemons.map(({ output }) => output).join('\n---\n');
  }
}

/** The lines that tell decisions. */
export function decisions(daemon: DaemonProcess): LogLine[] {
  return daemon.lines.filter(({ reason }) => reason !== undefined);
}

/** The decision of this number, counted from 1, as soon as there are so many. */
export async function decision(daemon: DaemonProcess, number: number): Promise<LogLine> {
  const complaint = () => `there is no decision ${String(number)} in:\n${daemon.output}`;
  return eventually(() => decisions(daemon)[number - 1], complaint);
}

/** Sends SIGUSR1 and waits for the decision that follows. */
export async function retune(daemon: DaemonProcess): Promise<LogLine> {
  const before = decisions(daemon).length;
  daemon.child.kill('SIGUSR1');
  return decision(daemon, before + 1);
}

/** Sends SIGHUP and waits until it was taken. */
export async function reload(daemon: DaemonProcess): Promise<void> {
  const skip = daemon.lines.length;
  daemon.child.kill('SIGHUP');
  await daemon.line(/^configuration reloaded|configuration is not reloaded/, { skip });
}

/** The warnings so far. */
export function warnings(daemon: DaemonProcess): string[] {
  return daemon.lines.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
}

/** Waits until it ends by itself, all its output read; gives the exit status, or the signal it died of. */
export async function ended(daemon: DaemonProcess): Promise<number | NodeJS.Signals | null> {
  // DaemonProcess.exit() sends SIGTERM; SIGCONT does nothing to a process that runs.
  return daemon.end('SIGCONT');
}
