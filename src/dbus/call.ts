import { Message, MessageFlag } from 'dbus-next';

export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
  /** Whether the bus may start the service for this call; it may by default. */
  readonly autoStart?: boolean;
  /** Whether the service may have the caller asked for a password; it may not by default. */
  readonly interactive?: boolean;
  /** 5000 by default. */
  readonly timeoutMillis?: number;
}

/** The D-Bus specification's flag; the library has no name for it. */
const ALLOW_INTERACTIVE_AUTHORIZATION = 0x4;

/** A method call that was not answered in time. */
export class CallTimeout extends Error {
  constructor({ destination, member }: MethodCall, millis: number) {
    super(`${destination} did not answer ${member} within ${millis / 1000} s`);
  }
}

export function messageOfCall(call: MethodCall): Message {
  const { destination, path, member, signature = '', body = [], autoStart = true, interactive = false } = call;
  const flags = (autoStart ? 0 : MessageFlag.NO_AUTO_START) | (interactive ? ALLOW_INTERACTIVE_AUTHORIZATION : 0);
  return new Message({ destination, path, interface: call.interface, member, signature, body: [...body], flags });
}

/** Whether the sender of a call lets itself be asked for a password. */
export function isInteractive({ flags }: Message): boolean {
  return (flags & ALLOW_INTERACTIVE_AUTHORIZATION) !== 0;
}

export function isAnswerExpected({ flags }: Message): boolean {
  return (flags & MessageFlag.NO_REPLY_EXPECTED) === 0;
}
