import type { Machine } from '../support/machine/machine.js';

const MANAGER = ['org.samepaged1', '/org/samepaged1', 'org.samepaged1.Manager'] as const;

interface Value {
  readonly type: string;
  readonly data: unknown;
}

/** Calls a method of the manager as a user of the machine does; `args` is the signature and the arguments. */
export async function call(machine: Machine, user: string, method: string, ...args: readonly string[]): Promise<Value> {
  return JSON.parse(await machine.runAs(user, 'busctl', '--json=short', 'call', ...MANAGER, method, ...args)) as Value;
}

/** Reads a property as a user of the machine does. */
export async function property(machine: Machine, user: string, name: string): Promise<unknown> {
  const words = ['busctl', '--json=short', 'get-property', ...MANAGER, name] as const;
  return (JSON.parse(await machine.runAs(user, ...words)) as Value).data;
}

/** Of the last retune; does not start the service. */
export async function lastRetune(machine: Machine): Promise<{ sentence: string; triggers: readonly string[] }> {
  const words = ['busctl', '--json=short', '--auto-start=no', 'get-property', ...MANAGER, 'LastRetune'] as const;
  const { data } = JSON.parse(await machine.run(...words)) as Value;
  const dict = data as Readonly<Record<string, Value>>;
  return { sentence: String(dict['Sentence']?.data), triggers: dict['Triggers']?.data as readonly string[] };
}
