import { once } from 'node:events';
import { type Socket, createConnection } from 'node:net';
import { eventually } from '../daemon.js';
import { Wire } from './wire.js';

export interface RawMessage {
  /** Of the D-Bus specification: 1 a call, 2 a return, 3 an error, 4 a signal. */
  readonly type?: number;
  readonly flags?: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  readonly replySerial?: number;
  readonly destination?: string;
  readonly signature?: string;
  /** As `signature` says, in the byte order that `bigEndian` says. */
  readonly body?: Buffer;
  readonly bigEndian?: boolean;
}

const SAMEPAGED = { destination: 'org.samepaged1', path: '/org/samepaged1', interface: 'org.samepaged1.Manager' };

const RECEIVED_BYTES = 4096;

/** A connection that sends what a client's library would not. */
export class RawBus implements Disposable {
  private readonly socket: Socket;
  /** The last of it. */
  private received = '';
  /** What taken() waits for: answers may come after it. */
  private awaited = '';
  private wasHeard = false;
  private serial = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (data) => {
      const received = this.received + data.toString('latin1');
      this.wasHeard ||= this.awaited !== '' && received.includes(this.awaited);
      this.received = received.slice(-RECEIVED_BYTES);
    });
    socket.on('error', () => undefined);
  }

  static async connect(address: string): Promise<RawBus> {
    const socket = createConnection(address.replace('unix:path=', ''));
    await once(socket, 'connect');
    const bus = new RawBus(socket);
    const uid = String(process.getuid?.());
    socket.write(`\0AUTH EXTERNAL ${Buffer.from(uid).toString('hex')}\r\n`);
    await eventually(() => bus.received.startsWith('OK '));
    socket.write('BEGIN\r\n');
    const dbus = 'org.freedesktop.DBus';
    bus.send({ destination: dbus, path: '/', interface: dbus, member: 'Hello' });
    await eventually(() => bus.received.includes('NameAcquired'));
    return bus;
  }

  /** To samepaged's object and its Manager, unless told otherwise. */
  send(message: RawMessage): void {
    this.socket.write(marshalled({ ...SAMEPAGED, ...message }, (this.serial += 1)));
  }

  /** Resolves when samepaged has taken all that was sent. */
  async taken(): Promise<void> {
    const member = `Unknown${(this.serial += 1)}`;
    this.awaited = `there is no org.samepaged1.Manager.${member}`;
    this.wasHeard = false;
    this.send({ member });
    await eventually(
      () => this.wasHeard,
      () => `no answer to ${member}`,
    );
  }

  /** From here on answers stay where they are. */
  stopReading(): void {
    this.socket.pause();
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

function marshalled(message: RawMessage, serial: number): Buffer {
  const { type = 1, flags = 0, bigEndian = false, body = Buffer.alloc(0) } = message;
  const wire = new Wire(bigEndian);
  for (const byte of [(bigEndian ? 'B' : 'l').charCodeAt(0), type, flags, 1]) wire.number(byte, 1);
  wire.number(body.length, 4);
  wire.number(serial, 4);
  const fields = [
    [1, 'o', message.path],
    [2, 's', message.interface],
    [3, 's', message.member],
    [4, 's', message.errorName],
    [5, 'u', message.replySerial],
    [6, 's', message.destination],
    [8, 'g', message.signature],
  ] as const;
  wire.array(8, () => {
    for (const [code, signature, value] of fields) {
      if (value === undefined) continue;
      wire.align(8);
      wire.number(code, 1);
      wire.signature(signature);
      if (typeof value === 'number') wire.number(value, 4);
      else if (signature === 'g') wire.signature(value);
      else wire.string(value);
    }
  });
  wire.align(8);
  return Buffer.concat([wire.buffer, body]);
}
