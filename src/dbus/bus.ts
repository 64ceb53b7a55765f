import { DBusError, type Interface, Message, type MessageBus, MessageType } from 'dbus-next';
import { Observable, ReplaySubject, filter, map, share } from 'rxjs';
import { errnoOf, messageOf } from '../errors.js';
import { CallTimeout, type MethodCall, messageOfCall } from './call.js';
import { connectionOf, errorsOf, openBus } from './library.js';
import { describeAddress, type BusAddress } from './address.js';

export type { MethodCall };

const CALL_TIMEOUT_MILLIS = 5000;
/** A bus of which nothing came for so long is pinged; one of which nothing comes in answer is as good as lost. */
const PING_INTERVAL_MILLIS = 60_000;

const DBUS = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
} as const;

/** A call that gets no answer. */
export class Unanswered extends Error {}

export interface SignalRule {
  readonly sender: string;
  readonly interface: string;
  readonly member: string;
  readonly path?: string;
}

export interface Signal {
  readonly path: string;
  readonly body: readonly unknown[];
}

/** The one gate to the bus: every call has a timeout, and the loss of the bus is an event instead of a silence. */
export class Bus {
  /** Emits the reason when the bus is gone, to who comes later too. */
  readonly lost$: Observable<string>;
  private readonly messages: MessageBus;
  private readonly lost = new ReplaySubject<string>(1);
  private readonly exported: [path: string, object: Interface][] = [];
  private readonly pings: NodeJS.Timeout;
  private onAnswer: (destination: string, bytes: number) => void = () => undefined;

  private constructor(messages: MessageBus) {
    this.messages = messages;
    this.lost$ = this.lost.asObservable();
    messages.setMaxListeners(0);
    const { stream } = connectionOf(messages);
    // A signal or a reply that the library sends on a bus that has just gone away throws.
    const send = messages.send.bind(messages);
    messages.send = (message: Message) => {
      try {
        const before = stream.bytesWritten;
        send(message);
        if (isAnswer(message)) this.onAnswer(message.destination, stream.bytesWritten - before);
      } catch (error) {
        this.lose(`the connection to the bus failed: ${messageOf(error)}`);
        if (message.type === MessageType.METHOD_CALL) throw error;
      }
    };
    errorsOf(messages).on('error', (error: unknown) => {
      if (errnoOf(error) !== undefined) this.lose(`the connection to the bus failed: ${messageOf(error)}`);
    });
    // The library tells nobody when the stream ends, but its connection object does.
    connectionOf(messages).on('end', () => {
      this.lose('the bus closed the connection');
    });
    const bytesTaken = () => stream.bytesRead - stream.readableLength;
    let known = 0;
    this.pings = setInterval(() => {
      const before = bytesTaken();
      if (before !== known) {
        known = before;
        return;
      }
      this.call({ ...DBUS, member: 'GetId' }).catch((error: unknown) => {
        // Where somebody floods us with messages the answer is late, and the bus is not lost.
        if (bytesTaken() === before) this.lose(messageOf(error));
      });
    }, PING_INTERVAL_MILLIS);
  }

  /** @throws Error with the address when nobody answers there. */
  static async connect(address: BusAddress): Promise<Bus> {
    const messages = openBus(address);
    await new Promise<void>((resolve, reject) => {
      const fail = (reason: string) => {
        messages.disconnect();
        reject(new Error(`no D-Bus at ${describeAddress(address)}: ${reason}`));
      };
      const late = setTimeout(() => {
        fail(`no answer within ${CALL_TIMEOUT_MILLIS / 1000} s`);
      }, CALL_TIMEOUT_MILLIS);
      messages.once('connect', () => {
        clearTimeout(late);
        errorsOf(messages).removeAllListeners('error');
        resolve();
      });
      errorsOf(messages).on('error', (error: unknown) => {
        clearTimeout(late);
        fail(messageOf(error));
      });
    });
    return new Bus(messages);
  }

  /**
   * @returns the body of the reply.
   * @throws DBusError when the other side answers with an error, CallTimeout when it does not answer.
   */
  async call(call: MethodCall): Promise<readonly unknown[]> {
    const millis = call.timeoutMillis ?? CALL_TIMEOUT_MILLIS;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new CallTimeout(call, millis));
      }, millis);
      this.messages
        .call(messageOfCall(call))
        .then((reply) => {
          resolve(reply?.body ?? []);
        })
        .catch((error: unknown) => {
          reject(error instanceof Error ? error : new Error(messageOf(error)));
        })
        .finally(() => {
          clearTimeout(late);
        });
    });
  }

  /** Signals that match; the bus is asked for them while somebody listens. */
  signal$(rule: SignalRule): Observable<Signal> {
    const match = Object.entries({ type: 'signal', ...rule }).map(([key, value]) => `${key}='${value}'`);
    return new Observable<Message>((subscriber) => {
      const forward = (message: Message) => {
        subscriber.next(message);
      };
      const ask = (member: 'AddMatch' | 'RemoveMatch') => {
        this.call({ ...DBUS, member, signature: 's', body: [match.join(',')] }).catch((error: unknown) => {
          // Without what it would tell we are as good as without the bus, which is joined again.
          if (member === 'AddMatch') this.lose(`the bus does not send us ${rule.member}: ${messageOf(error)}`);
        });
      };
      this.messages.on('message', forward);
      ask('AddMatch');
      return () => {
        this.messages.off('message', forward);
        ask('RemoveMatch');
      };
    }).pipe(
      // The bus delivers what is sent to all by our matches, sender included; what is sent to us alone could be anybody's.
      filter((message) => message.type === MessageType.SIGNAL && !message.destination),
      filter((message) => message.interface === rule.interface && message.member === rule.member),
      filter((message) => rule.path === undefined || message.path === rule.path),
      map(({ path, body }) => ({ path, body })),
      share(),
    );
  }

  /** The owner of `name` each time it changes; empty when it has none. */
  owner$(name: string): Observable<string> {
    const changes$ = this.signal$({ sender: DBUS.destination, interface: DBUS.interface, member: 'NameOwnerChanged' });
    return changes$.pipe(
      filter(({ body }) => body[0] === name),
      map(({ body }) => String(body[2])),
    );
  }

  /**
   * Takes a well-known name, without queueing for it.
   *
   * @returns undefined when it is ours, or the pid of the process that has it.
   * @throws DBusError when the bus's policy does not let us.
   */
  async requestName(name: string): Promise<number | undefined> {
    const DO_NOT_QUEUE = 4;
    const PRIMARY_OWNER = 1;
    const [reply] = await this.call({ ...DBUS, member: 'RequestName', signature: 'su', body: [name, DO_NOT_QUEUE] });
    if (reply === PRIMARY_OWNER) return undefined;
    const [pid] = await this.call({ ...DBUS, member: 'GetConnectionUnixProcessID', signature: 's', body: [name] });
    return Number(pid);
  }

  export(path: string, object: Interface): void {
    this.messages.export(path, object);
    this.exported.push([path, object]);
  }

  /**
   * Lets a method call reach what is exported when `check` resolves; what it rejects with is the caller's answer, but for
   * Unanswered.
   *
   * @param onAnswer is called with the size of each answer.
   */
  guard(check: (call: Message) => Promise<void>, onAnswer: (destination: string, bytes: number) => void): void {
    this.onAnswer = onAnswer;
    const checked = new WeakSet<Message>();
    this.messages.addMethodHandler((call) => {
      if (checked.delete(call)) return false;
      check(call).then(
        () => {
          checked.add(call);
          connectionOf(this.messages).emit('message', call);
        },
        (error: unknown) => {
          if (error instanceof Unanswered) return;
          const type = error instanceof DBusError ? error.type : 'org.freedesktop.DBus.Error.Failed';
          this.messages.send(Message.newError(call, type, messageOf(error)));
        },
      );
      return true;
    });
  }

  /** What was exported can be exported on another bus. */
  close(): void {
    clearInterval(this.pings);
    for (const [path, object] of this.exported.splice(0)) this.messages.unexport(path, object);
    this.messages.disconnect();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private lose(reason: string): void {
    clearInterval(this.pings);
    this.lost.next(reason);
    this.lost.complete();
  }
}

function isAnswer({ type }: Message): boolean {
  return type === MessageType.METHOD_RETURN || type === MessageType.ERROR;
}

/** Whether a call failed because nobody has the name called: the service is not running and cannot be started. */
export function isNoSuchService(error: unknown): boolean {
  return error instanceof DBusError && /\.(ServiceUnknown|NameHasNoOwner|Spawn\.\w+)$/.test(error.type);
}
