import { type Message, type MessageBus, MessageType, Variant } from 'dbus-next';
import { call, callBus } from './busClient.js';
import { eventually } from '../daemon.js';

const OBJECT = { destination: 'org.samepaged1', path: '/org/samepaged1' };
const MANAGER = 'org.samepaged1.Manager';

export type Dict = Record<string, unknown>;

/** Waits until somebody owns org.samepaged1. */
export async function published(bus: MessageBus): Promise<void> {
  const owned = async () => (await callBus(bus, 'NameHasOwner', 'org.samepaged1'))[0] === true;
  await eventually(owned, () => 'nobody owns org.samepaged1');
}

/** org.samepaged1.Manager as a client sees it; Variants are taken off, 64-bit numbers stay BigInt. */
export class ManagerClient {
  /** What PropertiesChanged said, in order. */
  readonly changes: Dict[] = [];
  /** What Retuned said, in order. */
  readonly retuned: Dict[] = [];
  private readonly bus: MessageBus;

  private constructor(bus: MessageBus) {
    this.bus = bus;
    bus.on('message', (message: Message) => {
      if (message.type !== MessageType.SIGNAL || message.path !== OBJECT.path) return;
      if (message.member === 'PropertiesChanged') this.changes.push(plain(message.body[1]) as Dict);
      if (message.member === 'Retuned') this.retuned.push(plain(message.body[0]) as Dict);
    });
  }

  /** Listens to the signals when it resolves. The name need not be owned yet. */
  static async on(bus: MessageBus): Promise<ManagerClient> {
    const client = new ManagerClient(bus);
    await callBus(bus, 'AddMatch', `type='signal',path='${OBJECT.path}'`);
    return client;
  }

  async properties(): Promise<Dict> {
    return (await this.ask('org.freedesktop.DBus.Properties', 'GetAll', 's', [MANAGER])) as Dict;
  }

  async retune(): Promise<Dict> {
    return this.command('Retune');
  }

  /**
   * Calls a method, each of which answers with the retune that followed.
   *
   * @throws DBusError when it is refused.
   */
  async command(member: string, signature = '', body: readonly unknown[] = []): Promise<Dict> {
    return (await this.ask(MANAGER, member, signature, body)) as Dict;
  }

  async introspect(): Promise<string> {
    return String(await this.ask('org.freedesktop.DBus.Introspectable', 'Introspect'));
  }

  /** @throws DBusError when it is refused. */
  async setProperty(name: string, value: Variant): Promise<void> {
    await this.ask('org.freedesktop.DBus.Properties', 'Set', 'ssv', [MANAGER, name, value]);
  }

  private async ask(iface: string, member: string, signature = '', body: readonly unknown[] = []): Promise<unknown> {
    const [answer] = await call(this.bus, { ...OBJECT, interface: iface, member, signature, body });
    return plain(answer);
  }
}

function plain(value: unknown): unknown {
  if (value instanceof Variant) return plain(value.value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
