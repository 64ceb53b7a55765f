import { readFileSync } from 'node:fs';
import { type MessageBus, Variant, interface as dbus } from 'dbus-next';
import { call } from './busClient.js';

const AUTHORITY = {
  destination: 'org.freedesktop.PolicyKit1',
  path: '/org/freedesktop/PolicyKit1/Authority',
  interface: 'org.freedesktop.PolicyKit1.Authority',
};
const AGENT = '/org/samepaged/test/agent';
const ROOT = ['unix-user', { uid: new Variant('u', 0) }];

/** A polkit agent for one process, in place of a person who always knows root's password. `bus` is root's. */
export class PolkitAgent extends dbus.Interface {
  /** What it was asked: action and message. */
  readonly asked: (readonly [string, string])[] = [];
  /** How many of the questions polkit has got an answer to, or would not have one any more. */
  answered = 0;
  private readonly bus: MessageBus;
  private readonly beforeAnswer: () => Promise<void>;

  private constructor(bus: MessageBus, beforeAnswer: () => Promise<void>) {
    super('org.freedesktop.PolicyKit1.AuthenticationAgent');
    this.bus = bus;
    this.beforeAnswer = beforeAnswer;
  }

  static async of(bus: MessageBus, pid: number, beforeAnswer = (): Promise<void> => Promise.resolve()) {
    const agent = new PolkitAgent(bus, beforeAnswer);
    bus.export(AGENT, agent);
    // proc_pid_stat(5): the command's name, in parentheses, may have blanks; starttime is the 22nd field.
    const startTime = /.*\) (.*)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]?.split(' ')[19] ?? '';
    const identity = { pid: new Variant('u', pid), 'start-time': new Variant('t', BigInt(startTime)) };
    await call(bus, {
      ...AUTHORITY,
      member: 'RegisterAuthenticationAgent',
      signature: '(sa{sv})ss',
      body: [['unix-process', identity], 'C', AGENT],
    });
    return agent;
  }

  @dbus.method({ inSignature: 'sssa{ss}sa(sa{sv})' })
  async BeginAuthentication(action: string, message: string, _icon: string, _details: unknown, cookie: string) {
    this.asked.push([action, message]);
    await this.beforeAnswer();
    const body = [0, cookie, ROOT];
    try {
      await call(this.bus, { ...AUTHORITY, member: 'AuthenticationAgentResponse2', signature: 'us(sa{sv})', body });
    } finally {
      this.answered += 1;
    }
  }
}
