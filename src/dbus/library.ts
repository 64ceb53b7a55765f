import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { type MessageBus, sessionBus, systemBus } from 'dbus-next';
import type { BusAddress } from './address.js';
import { readWithCare } from './reader.js';

/** The library's connection, which it does not declare. */
interface Connection extends EventEmitter {
  readonly stream: Socket;
}

/** Emits `connect`, or `error`. */
export function openBus(address: BusAddress): MessageBus {
  const messages = busOf(address);
  const connection = connectionOf(messages);
  // The library sets up its reader right after this event; what is read comes in a later turn of the event loop.
  connection.once('connect', () => {
    queueMicrotask(() => {
      readWithCare(connection.stream);
    });
  });
  return messages;
}

function busOf(address: BusAddress): MessageBus {
  if (address === 'system') return systemBus();
  return address === 'session' ? sessionBus() : sessionBus({ busAddress: address });
}

/** The library emits `error` without declaring it. */
export function errorsOf(messages: MessageBus): EventEmitter {
  return messages;
}

export function connectionOf(messages: MessageBus): Connection {
  return (messages as unknown as { _connection: Connection })._connection;
}
