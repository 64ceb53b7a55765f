import { Message, type MessageBus, Variant } from 'dbus-next';
import { connect } from './busClient.js';
import { domainPath } from '../kvm/guest.js';
import type { HostTree } from '../hostTree.js';

type Member = 'ListDomains' | 'GetAllDomainStats' | 'NodeSetMemoryParameters';
/** A number is a delay in milliseconds. */
type Behaviour = 'answer' | 'silence' | 'error' | number;

const EVENT = { started: 2, stopped: 5 } as const;
const OBJECT = '/org/libvirt/Test';

/**
 * Owns org.libvirt and does what the real libvirt-dbus cannot be made to do: be late, be silent, fail, tell memory
 * figures and set node memory parameters (in a tree) without QEMU. Not a replacement for it: what the real one does
 * with libvirt's test driver is tested on the real one.
 */
export class LibvirtStandIn implements Disposable {
  /** The running guests, with their resident memory in kB. */
  readonly guests = new Map<string, number>();
  readonly behaviour: Record<Member, Behaviour> = {
    ListDomains: 'answer',
    GetAllDomainStats: 'answer',
    NodeSetMemoryParameters: 'error',
  };
  /** Members of org.libvirt.Connect that were called. */
  readonly calls: string[] = [];
  /** What NodeSetMemoryParameters was given. */
  readonly parameters: Record<string, unknown>[] = [];
  private readonly bus: MessageBus;
  private readonly tree: HostTree;
  private readonly late = new Set<NodeJS.Timeout>();

  private constructor(bus: MessageBus, tree: HostTree) {
    this.bus = bus;
    this.tree = tree;
  }

  /** Owns the name when it resolves. `tree` is where node memory parameters go. */
  static async start(address: string, tree: HostTree): Promise<LibvirtStandIn> {
    const bus = await connect(address);
    const standIn = new LibvirtStandIn(bus, tree);
    bus.addMethodHandler((message) => standIn.receive(message));
    await bus.requestName('org.libvirt', 0);
    return standIn;
  }

  /** Adds a guest and tells it. */
  startGuest(name: string, residentKb: number): void {
    this.guests.set(name, residentKb);
    this.tell(name, 'started');
  }

  /** Sends a DomainEvent, whatever the list says. */
  tell(name: string, event: keyof typeof EVENT): void {
    const body = [domainPath('Test', name), EVENT[event], 0];
    this.bus.send(Message.newSignal(OBJECT, 'org.libvirt.Connect', 'DomainEvent', 'oii', body));
  }

  /** Sends a signal of a guest's own object. */
  tellOf(name: string, member: 'BalloonChange' | 'DeviceAdded' | 'DeviceRemoved', argument: bigint | string): void {
    const signature = typeof argument === 'bigint' ? 't' : 's';
    const path = domainPath('Test', name);
    this.bus.send(Message.newSignal(path, 'org.libvirt.Domain', member, signature, [argument]));
  }

  [Symbol.dispose](): void {
    for (const timer of this.late) clearTimeout(timer);
    this.bus.disconnect();
  }

  private receive(message: Message): boolean {
    const { member, path, body } = message;
    if (member === 'Get') this.send(this.nameReply(message, path));
    else if (isMember(member)) {
      this.calls.push(member);
      this.answer(message, member, body);
    } else return false;
    return true;
  }

  private answer(message: Message, member: Member, body: readonly unknown[]): void {
    const behaviour = this.behaviour[member];
    if (behaviour === 'silence') return;
    if (behaviour === 'error') {
      this.send(Message.newError(message, 'org.libvirt.Error', `${member} failed, says the stand-in`));
      return;
    }
    const reply = () => {
      this.send(this.reply(message, member, body));
    };
    if (behaviour === 'answer') reply();
    else this.late.add(setTimeout(reply, behaviour));
  }

  private reply(message: Message, member: Member, body: readonly unknown[]): Message {
    if (member === 'ListDomains') {
      const paths = [...this.guests.keys()].map((name) => domainPath('Test', name));
      return Message.newMethodReturn(message, 'ao', [paths]);
    }
    if (member === 'GetAllDomainStats') {
      const records = [...this.guests].map(([name, kb]) => [name, { 'balloon.rss': nested(kb) }]);
      return Message.newMethodReturn(message, 'a(sa{sv})', [records]);
    }
    const variants = Object.entries(body[0] as Record<string, Variant>);
    const values = Object.fromEntries(variants.map(([name, variant]) => [name, variant.value]));
    this.parameters.push(values);
    for (const [name, value] of Object.entries(values)) this.tree.setKsm(name.replace('shm_', ''), String(value));
    return Message.newMethodReturn(message, '', []);
  }

  private nameReply(message: Message, path: string): Message {
    const name = [...this.guests.keys()].find((guest) => domainPath('Test', guest) === path);
    return name === undefined
      ? Message.newError(message, 'org.libvirt.Error', 'Domain not found')
      : Message.newMethodReturn(message, 'v', [new Variant('s', name)]);
  }

  private send(message: Message): void {
    this.bus.send(message);
  }
}

/** libvirt-dbus wraps twice. */
function nested(kb: number): Variant {
  return new Variant('v', new Variant('t', BigInt(kb)));
}

function isMember(member: string): member is Member {
  return ['ListDomains', 'GetAllDomainStats', 'NodeSetMemoryParameters'].includes(member);
}
