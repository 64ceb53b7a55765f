import { writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import type { MessageBus } from 'dbus-next';
import { callBus, connect } from './busClient.js';
import { Child } from '../child.js';
import { removeScratch, scratchDirectory } from '../scratch.js';

export interface BusOptions {
  readonly type?: 'session' | 'system';
  /** 'test': libvirt-dbus with libvirt's test driver is on the bus when start() resolves. */
  readonly libvirt?: 'test' | undefined;
}

/** dbus-daemon's own session.conf: the defaults of a system bus allow a connection 128 unanswered calls. */
const LIMITS = {
  max_incoming_bytes: 1_000_000_000,
  max_outgoing_bytes: 1_000_000_000,
  max_message_size: 1_000_000_000,
  max_connections_per_user: 100_000,
  max_completed_connections: 100_000,
  max_names_per_connection: 50_000,
  max_match_rules_per_connection: 50_000,
  max_replies_per_connection: 50_000,
};

function configuration(type: string, address: string): string {
  const limits = Object.entries(LIMITS).map(([name, value]) => `  <limit name="${name}">${value}</limit>`);
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>${type}</type>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*" eavesdrop="true"/>
  </policy>
${limits.join('\n')}
</busconfig>
`;
}

function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket, () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => {
      resolve(false);
    });
  });
}

/**
 * A message bus of a test's own, in a directory of its own, without service files: nothing is ever activated on it.
 * It owns the processes it started and the connections it handed out; none of them outlives stop() or this process.
 */
export class PrivateBus {
  readonly address: string;
  readonly #daemon: Child;
  readonly #clients: MessageBus[] = [];
  #libvirtDbus: Child | undefined;

  private constructor(
    readonly directory: string,
    socket: string,
    daemon: Child,
  ) {
    this.address = `unix:path=${socket}`;
    this.#daemon = daemon;
  }

  /** Accepts connections when it resolves. */
  static async start(options: BusOptions = {}): Promise<PrivateBus> {
    const directory = await scratchDirectory('bus');
    const socket = join(directory, 'bus');
    const file = join(directory, 'bus.conf');
    await writeFile(file, configuration(options.type ?? 'session', `unix:path=${socket}`));
    const log = join(directory, 'dbus-daemon.log');
    const daemon = Child.start('dbus-daemon', [`--config-file=${file}`, '--nofork'], { log });
    const bus = new PrivateBus(directory, socket, daemon);
    try {
      await daemon.until(() => accepts(socket));
      if (options.libvirt === 'test') await bus.startLibvirtDbus();
    } catch (error) {
      await bus.stop();
      throw error;
    }
    return bus;
  }

  /** A connection that stop() closes. */
  async connect(): Promise<MessageBus> {
    const client = await connect(this.address);
    this.#clients.push(client);
    return client;
  }

  /** Resolves when `name` is owned; rejects if `process`, which is about to take it, ends before that. */
  async untilOwned(name: string, process: Child): Promise<void> {
    const client = await connect(this.address);
    try {
      await process.until(async () => (await callBus(client, 'NameHasOwner', name))[0] === true);
    } finally {
      client.disconnect();
    }
  }

  /**
   * Owns org.libvirt when it resolves. The guests of /org/libvirt/Test live in this process: a new one knows only the
   * driver's built-in domain `test`, which runs.
   */
  async startLibvirtDbus(): Promise<void> {
    if (this.#libvirtDbus?.running === true) throw new Error('libvirt-dbus runs already');
    const env = {
      DBUS_SESSION_BUS_ADDRESS: this.address,
      HOME: this.directory,
      XDG_RUNTIME_DIR: join(this.directory, 'runtime'),
      XDG_CACHE_HOME: join(this.directory, 'cache'),
      XDG_CONFIG_HOME: join(this.directory, 'config'),
    };
    const log = join(this.directory, 'libvirt-dbus.log');
    this.#libvirtDbus = Child.start('libvirt-dbus', ['--session'], { log, env });
    await this.untilOwned('org.libvirt', this.#libvirtDbus);
  }

  /** The process is gone when it resolves. */
  async killLibvirtDbus(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#libvirtDbus?.kill(signal);
  }

  /** Ends the dbus-daemon without a word to its clients. */
  async killBus(): Promise<void> {
    await this.#daemon.kill('SIGKILL');
  }

  /** Not waited for: SIGSTOP makes a bus that takes messages and delivers none, SIGCONT ends that. */
  signalBus(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#daemon.signal(signal);
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.disconnect();
    await this.killLibvirtDbus();
    await this.killBus();
    await removeScratch(this.directory);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
