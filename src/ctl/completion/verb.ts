import { setTimeout as sleep } from 'node:timers/promises';
import { Bus, type BusAddress } from '../../dbus/bus.js';
import { didYouMean } from '../../text/nearest.js';
import { EXIT } from '../../errors.js';
import { listGuestProcesses } from '../../host/guestProcess.js';
import { Definitions } from '../../libvirt/definitions.js';
import { bashCompletion } from './bash.js';
import { fishCompletion } from './fish.js';
import { zshCompletion } from './zsh.js';
import { UsageError, type Verb, type VerbInput, type VerbTable } from '../verb.js';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;
/** What the completions ask for while somebody types. */
const GUESTS = 'guests';
/** Nobody waits longer for a name. */
const PATIENCE_MILLIS = 2000;

/** @param verbs the table that the verb itself is in. */
export function completionVerb(verbs: () => VerbTable): Verb {
  return {
    summary: 'a completion script for your shell',
    details:
      'Prints the script that completes verbs, options, their values, guests and policies; put it where the shell looks. ' +
      `"completion ${GUESTS}" is what it asks for names: one a line, and nothing where libvirt does not answer.`,
    usage: 'completion bash|zsh|fish',
    words: [Object.keys(SHELLS)],
    options: ['bus', 'libvirt'],
    examples: [
      {
        command: 'samepagectl completion bash > /etc/bash_completion.d/samepagectl',
        does: 'for bash (with the package bash-completion; without it source the file)',
      },
      { command: 'samepagectl completion zsh > /usr/local/share/zsh/site-functions/_samepagectl', does: 'for zsh' },
      {
        command: 'samepagectl completion fish > /etc/fish/completions/samepagectl.fish',
        does: 'for fish',
      },
    ],
    run: async (input) => {
      const [word, ...more] = input.words;
      if (word === undefined || more.length > 0) throw new UsageError('completion takes one of bash, zsh, fish');
      if (word === GUESTS) return { status: EXIT.ok, output: (await guestNames(input)).join('\n') };
      const script = Object.hasOwn(SHELLS, word) ? SHELLS[word as keyof typeof SHELLS] : undefined;
      if (script !== undefined) return { status: EXIT.ok, output: script(verbs()) };
      const hint = didYouMean(word, Object.keys(SHELLS));
      throw new UsageError(`completion takes one of bash, zsh, fish, no "${word}"${hint}`);
    },
  };
}

/** All guests that libvirt knows, or without it those that run; never an error, and never a long wait. */
async function guestNames({ bus, libvirt }: VerbInput): Promise<readonly string[]> {
  const told = libvirt === 'none' ? undefined : askLibvirt(bus, libvirt).catch(() => undefined);
  const names = await Promise.race([told, sleep(PATIENCE_MILLIS, undefined, { ref: false })]);
  if (names !== undefined) return names;
  const processes = await listGuestProcesses('').catch(() => []);
  return processes.map(({ name }) => name);
}

async function askLibvirt(address: BusAddress, object: string): Promise<readonly string[]> {
  using bus = await Bus.connect(address);
  return await new Definitions(bus, object).names();
}
