import { type Socket, createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import { errnoOf, messageOf } from '../errors.js';
import { COMMAND_TIMEOUT_MILLIS, type QemuMonitor, returnedBy } from './monitor.js';

/** QEMU greets at once, unless another program holds the socket: then it waits for that one to go. */
const GREETING_TIMEOUT_MILLIS = 5000;

/** A guest's monitor by way of the unix socket that QEMU listens on. */
export class QmpSocket implements QemuMonitor {
  readonly taints = false;
  private readonly socket: Socket;
  private readonly message: AsyncIterator<string>;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.message = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  /** @throws Error that names the socket. */
  static async connect(path: string): Promise<QmpSocket> {
    const socket = createConnection(path);
    // Told of by whoever reads next.
    socket.on('error', () => undefined);
    const monitor = new QmpSocket(socket);
    try {
      await opened(socket);
      await monitor.next(GREETING_TIMEOUT_MILLIS, 'another program holds it');
      await monitor.execute('qmp_capabilities');
      return monitor;
    } catch (error) {
      socket.destroy();
      throw new Error(`QEMU's socket ${path}: ${errnoOf(error) ?? messageOf(error)}`, { cause: error });
    }
  }

  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    this.socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    for (;;) {
      const message = await this.next(COMMAND_TIMEOUT_MILLIS, `no answer to ${command}`);
      // Events come at any time.
      if (typeof message !== 'object' || message === null || !('event' in message)) return returnedBy(message);
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  private async next(millis: number, late: string): Promise<unknown> {
    const timer = setTimeout(() => this.socket.destroy(new Error(late)), millis);
    try {
      const message = await this.message.next();
      if (message.done === true) throw this.socket.errored ?? new Error('QEMU has closed it');
      return JSON.parse(message.value);
    } finally {
      clearTimeout(timer);
    }
  }
}

function opened(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
}
