import { DEFAULT_POLICY } from '../api/names.js';
import { type PolicyName, POLICY_HELP, POLICY_NAMES } from '../config/keys.js';
import { EXIT } from '../errors.js';
import { withDaemon } from '../api/withDaemon.js';
import { NotRunning } from '../api/notRunning.js';
import { retuneLines, toJson } from './command.js';
import type { DaemonProperties } from '../api/replies.js';
import { policyInForce } from './status/screen.js';
import { topicRows } from '../text/table.js';
import { type Terminal, fold, indented } from '../text/terminal.js';
import { NOT_RUNNING_STATUS, UsageError, type Verb, type VerbInput, type VerbResult } from './verb.js';

export const policy: Verb = {
  summary: 'show the policies, or set one by hand',
  details:
    'Without a name policy shows the policies and the one in force. With a name it sets that policy at once. A restart of ' +
    'samepaged keeps it. "policy default", a boot of the host, or a reload with another KSM_POLICY ends it.',
  usage: 'policy [NAME]',
  words: ['policy'],
  options: ['bus', 'json'],
  examples: [
    { command: 'samepagectl policy', does: 'which policies there are, and which is in force' },
    { command: 'samepagectl policy adaptive', does: 'try another one' },
    { command: 'samepagectl policy default', does: 'back to the one that the configuration names' },
  ],
  run: async (input) => {
    const [name, ...more] = input.words;
    if (more.length > 0) throw new UsageError(`policy takes one name, not "${more.join(' ')}"`);
    return name === undefined ? show(input) : set(name, input);
  },
};

async function set(name: string, { bus, json, terminal }: VerbInput): Promise<VerbResult> {
  const reply = await withDaemon(bus, (daemon) => daemon.command('SetPolicy', 's', [name]));
  const text = fold([`policy ${reply.policy ?? name}`, ...retuneLines(reply)], terminal);
  return { status: EXIT.ok, output: json ? toJson(reply) : text };
}

async function show({ bus, json, terminal }: VerbInput): Promise<VerbResult> {
  try {
    const properties = await withDaemon(bus, (daemon) => daemon.properties());
    const { policy: inForce, configuredPolicy: configured, policies } = properties;
    const back = inForce === configured ? '' : '; samepagectl policy default goes back';
    const verdict = indented(`in force: ${policyInForce(properties)}${back}`, 0, terminal);
    const lines = [...list(policies, inForce, terminal), '', ...verdict];
    return { status: EXIT.ok, output: json ? toJson({ inForce, configured, policies }) : lines.join('\n') };
  } catch (error) {
    if (!(error instanceof NotRunning)) throw error;
    const { message: reason } = error;
    const verdict = indented(`${reason}: which policy is in force is not known`, 0, terminal);
    const text = [...list(POLICY_NAMES, undefined, terminal), '', ...verdict].join('\n');
    const answer = { inForce: null, configured: null, policies: POLICY_NAMES, reason };
    return { status: NOT_RUNNING_STATUS, output: json ? toJson(answer) : text };
  }
}

function list(
  names: DaemonProperties['policies'] | readonly PolicyName[],
  inForce: string | undefined,
  terminal: Terminal,
): readonly string[] {
  const known: Readonly<Record<string, string>> = POLICY_HELP;
  const rows = names.map((name) => [`${name === inForce ? '*' : ' '} ${name}`, known[name] ?? ''] as const);
  return topicRows(rows, terminal);
}

/** What completion offers. */
export const POLICY_WORDS: readonly string[] = [...POLICY_NAMES, DEFAULT_POLICY];
