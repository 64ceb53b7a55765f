import type { Socket } from 'node:net';
import { MessageType } from 'dbus-next';

/** What a message opens with, and what says how long the rest is: D-Bus specification, "Message Format". */
const OPENING_BYTES = 16;
const LITTLE_ENDIAN = 'l'.charCodeAt(0);
/**
 * What samepaged knows has some hundred bytes, or a thousand. Parsed, a message can take ninety times its size, and a call
 * is kept until it is known whether the caller may.
 */
const LARGEST_CALL_BYTES = 4 * 1024;
const LARGEST_SIGNAL_BYTES = 64 * 1024;
/** One turn of the event loop's: few enough for their answers to be kept in memory, and enough to see calls as one burst. */
const MOST_IN_A_TURN = 16;

/**
 * Comes between the bus and the library's reader, because on the system bus everybody may send us anything. That reader
 * throws, where nobody can catch it, at a body that it cannot read (a file descriptor that did not come along); it parses
 * messages of any size, before anybody can refuse them; and it goes on to the next however much waits to be sent. Here what
 * makes it throw is ignored, calls and signals that are too large never reach it, and nothing is read while answers wait
 * to be sent. Nobody answers what is ignored. The library has no place to hook this in, so its reader, a listener of
 * `readable`, is lent one message at a time.
 *
 * @param socket of a connection whose reader listens and has read nothing yet.
 */
export function readWithCare(socket: Socket): void {
  const [parse] = socket.listeners('readable') as [() => void];
  socket.off('readable', parse);
  const read = socket.read.bind(socket) as (bytes: number) => Buffer | null;
  let lent: Buffer[] | undefined;
  socket.read = (bytes: number): unknown => (lent === undefined ? read(bytes) : (lent.shift() ?? null));

  let opening: Buffer | null = null;
  let bytesToPassOver = 0;
  let busy = false;
  socket.on('readable', () => {
    if (!busy) takeSome();
  });

  function takeSome(): void {
    for (let count = 0; count < MOST_IN_A_TURN; count += 1) {
      lent = nextMessage();
      busy = lent !== undefined;
      if (!busy) return;
      try {
        parse();
      } catch {
        // The reader has the whole message behind it, and is ready for the next one.
      }
      lent = undefined;
    }
    // Answers that are given at once have been written by then.
    setImmediate(() => {
      if (socket.writableNeedDrain) socket.once('drain', takeSome);
      else takeSome();
    });
  }

  /** Its opening and its rest, once all of it is there. */
  function nextMessage(): Buffer[] | undefined {
    for (;;) {
      while (bytesToPassOver > 0) {
        const passedOver = read(Math.min(bytesToPassOver, socket.readableLength));
        if (passedOver === null) return undefined;
        bytesToPassOver -= passedOver.length;
      }
      opening ??= read(OPENING_BYTES);
      // What is left of a connection that has ended may be shorter.
      if (opening?.length !== OPENING_BYTES) return undefined;
      const restBytes = restBytesOf(opening);
      if (restBytes <= largestBytes(opening.readUInt8(1))) {
        const rest = read(restBytes);
        if (rest === null) return undefined;
        const message = [opening, rest];
        opening = null;
        return message;
      }
      bytesToPassOver = restBytes;
      opening = null;
    }
  }
}

function largestBytes(type: number): number {
  if (type === MessageType.METHOD_RETURN || type === MessageType.ERROR) return Infinity;
  return type === MessageType.METHOD_CALL ? LARGEST_CALL_BYTES : LARGEST_SIGNAL_BYTES;
}

/** The header's fields, padded to a multiple of 8, and the body. */
function restBytesOf(opening: Buffer): number {
  const unsigned = (at: number) => (opening[0] === LITTLE_ENDIAN ? opening.readUInt32LE(at) : opening.readUInt32BE(at));
  return Math.ceil(unsigned(12) / 8) * 8 + unsigned(4);
}
