import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { DBusError, Variant } from 'dbus-next';
import { type MethodCall, messageOfCall } from '../../../src/dbus/call.js';
import { connect } from './busClient.js';

/** In a body, a Variant. */
export interface VariantArgument {
  readonly variant: string;
  readonly value: string | number;
}
type Call = Omit<MethodCall, 'body'> & { readonly body?: readonly (string | number | boolean | VariantArgument)[] };

/** "ok", or the name and the text of the error. */
export type Outcome = string;

/**
 * Makes calls one after another as another user, from one connection of a process of its own; `before` is done with its pid
 * before the first call.
 */
export async function callAs(
  uid: number,
  address: string,
  calls: readonly Call[],
  before: (pid: number) => Promise<void> = () => Promise.resolve(),
): Promise<Outcome[]> {
  const words = [process.execPath, fileURLToPath(import.meta.url), address, JSON.stringify(calls)];
  const child = spawn('sh', ['-c', 'read -r go; exec "$@"', 'sh', ...words], {
    uid,
    gid: uid,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await before(child.pid ?? 0);
  child.stdin.end('go\n');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child, 'close');
  return JSON.parse(output) as Outcome[];
}

async function main(address: string, calls: readonly Call[]): Promise<void> {
  const bus = await connect(address);
  const outcomes: Outcome[] = [];
  for (const call of calls) {
    const body = call.body?.map((argument) =>
      typeof argument === 'object' ? new Variant(argument.variant, argument.value) : argument,
    );
    const outcome = bus.call(messageOfCall({ ...call, ...(body === undefined ? {} : { body }) })).then(
      () => 'ok',
      (error: unknown) => (error instanceof DBusError ? `${error.type}: ${error.text}` : String(error)),
    );
    outcomes.push(await outcome);
  }
  process.stdout.write(JSON.stringify(outcomes));
  bus.disconnect();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , address = '', calls = '[]'] = process.argv;
  await main(address, JSON.parse(calls) as Call[]);
}
