import { type Message, type MessageBus, MessageType } from 'dbus-next';
import { callBus } from './busClient.js';

/** virDomainEventType, as in org.libvirt.Connect.DomainEvent: https://libvirt.org/html/libvirt-libvirt-domain.html */
export const EVENT = {
  defined: 0,
  undefined: 1,
  started: 2,
  suspended: 3,
  resumed: 4,
  stopped: 5,
  shutdown: 6,
  pmSuspended: 7,
  crashed: 8,
} as const;

export interface DomainEvent {
  /** The domain's object path. */
  readonly path: string;
  readonly event: number;
  readonly detail: number;
  /** performance.now() when the signal was read from the socket. */
  readonly at: number;
}

interface Waiter {
  readonly matches: (event: DomainEvent) => boolean;
  readonly resolve: (event: DomainEvent) => void;
}

const RULE = "type='signal',interface='org.libvirt.Connect',member='DomainEvent'";

/**
 * Records every DomainEvent that reaches a connection, for tests to wait for. libvirt-dbus sends none before the first
 * method call to it, and none after its libvirtd went away until the next call.
 */
export class DomainEvents {
  /** Everything that came, in order of arrival; never shortened. */
  readonly all: DomainEvent[] = [];
  readonly #bus: MessageBus;
  #unread: DomainEvent[] = [];
  #waiters: Waiter[] = [];

  private constructor(bus: MessageBus) {
    this.#bus = bus;
    bus.on('message', this.#receive);
  }

  /** Subscribed when it resolves. */
  static async on(bus: MessageBus): Promise<DomainEvents> {
    const events = new DomainEvents(bus);
    await callBus(bus, 'AddMatch', RULE);
    return events;
  }

  /** The oldest event of this kind not handed out yet, or the next to come. Each event is handed out once. */
  async next(path: string, event: number, timeoutMillis = 60_000): Promise<DomainEvent> {
    const matches = (candidate: DomainEvent): boolean => candidate.path === path && candidate.event === event;
    const found = this.#unread.find(matches);
    if (found !== undefined) {
      this.#unread = this.#unread.filter((candidate) => candidate !== found);
      return found;
    }
    return await new Promise((resolve, reject) => {
      const waiter = {
        matches,
        resolve: (received: DomainEvent): void => {
          clearTimeout(timer);
          resolve(received);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        const last = this.all.slice(-10).map((other) => `${other.path} ${other.event}/${other.detail}`);
        reject(
          new Error(`no event ${event} of ${path} in ${timeoutMillis} ms; the last: ${last.join(', ') || 'none'}`),
        );
      }, timeoutMillis);
      this.#waiters.push(waiter);
    });
  }

  [Symbol.dispose](): void {
    this.#bus.off('message', this.#receive);
  }

  readonly #receive = (message: Message): void => {
    const at = performance.now();
    if (message.type !== MessageType.SIGNAL || message.member !== 'DomainEvent') return;
    const [path, event, detail] = message.body as [string, number, number];
    const received = { path, event, detail, at };
    this.all.push(received);
    const waiter = this.#waiters.find((candidate) => candidate.matches(received));
    if (waiter === undefined) this.#unread.push(received);
    else this.#waiters = this.#waiters.filter((other) => other !== waiter);
    waiter?.resolve(received);
  };
}
