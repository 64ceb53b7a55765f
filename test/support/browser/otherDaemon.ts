import { Message, type MessageBus, Variant } from 'dbus-next';
import { BUS_NAME } from '../../../src/api/names.js';
import { connect } from '../dbus/busClient.js';

/** What the samepaged of another version tells of itself; every other call is one that it does not know. */
export class OtherDaemon implements Disposable {
  private constructor(private readonly bus: MessageBus) {}

  /** Owns samepaged's name when it resolves. */
  static async start(address: string, properties: Readonly<Record<string, Variant>>): Promise<OtherDaemon> {
    const bus = await connect(address);
    bus.addMethodHandler((message) => {
      if (message.member !== 'GetAll') return false;
      bus.send(Message.newMethodReturn(message, 'a{sv}', [properties]));
      return true;
    });
    await bus.requestName(BUS_NAME, 0);
    return new OtherDaemon(bus);
  }

  [Symbol.dispose](): void {
    this.bus.disconnect();
  }
}

/** The properties of the first version. */
export function oldestProperties(): Readonly<Record<string, Variant>> {
  const sizes = [
    'SavedBytes',
    'BookkeepingBytes',
    'AvailableBytes',
    'GuestMemoryBytes',
    'HoldUntilUSec',
    'NextLookUSec',
  ];
  return {
    ...Object.fromEntries(sizes.map((name) => [name, new Variant('t', 4n * 1024n ** 3n)])),
    ...Object.fromEntries(['PagesToScan', 'SleepMillisecs', 'GuestCount'].map((name) => [name, new Variant('u', 3)])),
    Version: new Variant('s', '0.0.9'),
    DryRun: new Variant('b', false),
    Policy: new Variant('s', 'ksmtuned'),
    ConfiguredPolicy: new Variant('s', 'ksmtuned'),
    Policies: new Variant('as', ['ksmtuned']),
    Run: new Variant('u', 1),
    SharingRatio: new Variant('d', 2),
    KsmdCpuPercent: new Variant('d', -1),
    ProfitBytes: new Variant('x', 0n),
    LibvirtConnected: new Variant('b', true),
    Hold: new Variant('s', ''),
    LastRetune: new Variant('a{sv}', { Sentence: new Variant('s', 'merging, said the first version') }),
  };
}
