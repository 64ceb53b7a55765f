import { execFileSync } from 'node:child_process';
import { AgentHost, decision } from '../agentHost.js';
import { type Outcome, type VariantArgument, callAs } from './callAs.js';
import { DaemonProcess } from '../daemon.js';
import { ManagerClient, published } from './managerClient.js';
import { SystemBus, type SystemBusOptions, UID } from './systemBus.js';

export type User = keyof typeof UID;

/** Why tests with other users cannot run, or false. */
export const NEEDS_ROOT = process.getuid?.() === 0 ? false : 'root is needed to be other users and to start polkitd';

const NOT_AUTHORIZED = 'org.samepaged1.Error.NotAuthorized: ';

interface ServiceHostOptions extends SystemBusOptions {
  /** Done with the host's files before samepaged starts. */
  readonly prepare?: (host: AgentHost) => void;
}

/** samepaged as a service: by its own user, on a system bus with its policy in force. */
export class ServiceHost implements AsyncDisposable {
  readonly bus: SystemBus;
  readonly host: AgentHost;
  readonly daemon: DaemonProcess;

  private constructor(bus: SystemBus, host: AgentHost) {
    this.bus = bus;
    this.host = host;
    const { root } = host.tree;
    execFileSync('chown', ['-R', String(UID.samepaged), root]);
    const args = [...host.args(), '--bus', bus.address];
    const env = { STATE_DIRECTORY: undefined, JOURNAL_STREAM: undefined };
    this.daemon = DaemonProcess.start(args, env, { uid: UID.samepaged });
  }

  /** Has its name and its first decision when it resolves. */
  static async start({ prepare, ...options }: ServiceHostOptions): Promise<ServiceHost> {
    const host = await AgentHost.create();
    prepare?.(host);
    const service = new ServiceHost(await SystemBus.start(options), host);
    try {
      await published(await service.bus.connect());
      await decision(service.daemon, 1);
    } catch (error) {
      const { output } = service.daemon;
      await service[Symbol.asyncDispose]();
      throw new Error(output, { cause: error });
    }
    return service;
  }

  /** As root. */
  async manager(): Promise<ManagerClient> {
    return ManagerClient.on(await this.bus.connect());
  }

  /** Calls the Manager, each call as [member, signature, ...arguments]. */
  async call(user: User, ...calls: readonly (readonly [string, string?, ...(string | number | boolean)[]])[]) {
    return this.ask(
      user,
      calls.map(([member, signature = '', ...body]) => ({
        path: '/org/samepaged1',
        interface: 'org.samepaged1.Manager',
        member,
        signature,
        body,
      })),
    );
  }

  /** Sets a property of LogControl1. */
  async setLog(user: User, name: string, value: string): Promise<Outcome> {
    const variant: VariantArgument = { variant: 's', value };
    const [outcome = ''] = await this.ask(user, [
      {
        path: '/org/freedesktop/LogControl1',
        interface: 'org.freedesktop.DBus.Properties',
        member: 'Set',
        signature: 'ssv',
        body: ['org.freedesktop.LogControl1', name, variant],
      },
    ]);
    return outcome;
  }

  /** "refused: TEXT" stands for the error NotAuthorized. */
  async ask(user: User, calls: readonly Omit<Parameters<typeof callAs>[2][number], 'destination'>[]) {
    const addressed = calls.map((call) => ({ ...call, destination: 'org.samepaged1' }));
    const outcomes = await callAs(UID[user], this.bus.address, addressed);
    return outcomes.map((outcome) => outcome.replace(NOT_AUTHORIZED, 'refused: '));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon[Symbol.asyncDispose]();
    await this.bus[Symbol.asyncDispose]();
    await this.host[Symbol.asyncDispose]();
  }
}
