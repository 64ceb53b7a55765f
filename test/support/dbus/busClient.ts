import { DBusError, Message, type MessageBus, sessionBus } from 'dbus-next';

const TIMEOUT_MILLIS = 60_000;

export interface Call {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

/** What dbus-next says once about a connection and then never again: later calls on it just hang. */
const lost = new WeakMap<MessageBus, Error>();

async function withTimeout<T>(promise: Promise<T>, what: string, millis: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what}: no answer in ${millis} ms`));
    }, millis);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Connected when it resolves. The caller disconnects. */
export async function connect(address: string): Promise<MessageBus> {
  const bus = sessionBus({ busAddress: address });
  /** Its own type leaves the `error` event out. */
  const emitter: NodeJS.EventEmitter = bus;
  const connected = new Promise<void>((resolve, reject) => {
    bus.once('connect', resolve);
    emitter.on('error', (error: Error) => {
      lost.set(bus, error);
      reject(error);
    });
  });
  await withTimeout(connected, address, TIMEOUT_MILLIS);
  return bus;
}

/**
 * The body of the reply. Rejects with dbus-next's DBusError (`type` is the error's D-Bus name, `text` its text) when the
 * peer answers with an error, with an Error when there is no answer or no connection.
 */
export async function call(bus: MessageBus, request: Call, timeoutMillis = TIMEOUT_MILLIS): Promise<unknown[]> {
  const error = lost.get(bus);
  if (error !== undefined) throw error;
  const { signature = '', body = [], ...address } = request;
  const message = new Message({ ...address, signature, body: [...body] });
  const reply = await withTimeout(bus.call(message), `${request.path} ${request.member}`, timeoutMillis);
  if (reply === null) throw new DBusError('org.freedesktop.DBus.Error.NoReply', 'no reply was asked for');
  return reply.body;
}

/** Calls the bus itself. */
export function callBus(bus: MessageBus, member: string, argument: string): Promise<unknown[]> {
  const name = 'org.freedesktop.DBus';
  const request = { destination: name, path: '/org/freedesktop/DBus', interface: name, member };
  return call(bus, { ...request, signature: 's', body: [argument] });
}
