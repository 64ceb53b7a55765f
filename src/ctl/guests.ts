import { Bus } from '../bus/connection.js';
import { didYouMean } from '../core/nearest.js';
import { Definitions } from '../libvirt/definitions.js';
import { toJson } from './command.js';
import { reportGuests } from './guestsReport.js';
import { type Sharing, changeSharing, sharingText } from './guestsSharing.js';
import { guestsTable } from './guestsTable.js';
import { hostOf } from './hostRoot.js';
import { fold } from './terminal.js';
import { OPTIONS, UsageError, type Verb, type VerbInput } from './verb.js';

export const guests: Verb = {
  summary: "guests' memory and what is merged of it",
  details:
    "Shows each guest's memory, how much of it is merged, and why a guest cannot be merged. forbid puts <nosharepages/> " +
    "into the guest's persistent definition, allow takes it out; both count from its next start on.",
  usage: 'guests [forbid|allow NAME]',
  words: [['forbid', 'allow'], 'guest'],
  options: ['bus', 'json', 'libvirt', 'root'],
  examples: [
    { command: 'samepagectl guests', does: 'every running guest' },
    { command: 'samepagectl guests forbid vault', does: 'keep the memory of the guest vault from being merged' },
    { command: 'samepagectl guests allow vault', does: 'let it be merged again' },
  ],
  async run(input) {
    const [word, name, ...rest] = input.words;
    if (word === undefined) return { status: 0, output: await list(input) };
    const sharing = sharingOf(word);
    if (name === undefined || name === '') throw new UsageError(`guests ${word}: which guest?`);
    if (rest.length > 0) throw new UsageError(`guests ${word} takes one guest, no "${rest.join(' ')}"`);
    return { status: 0, output: await change(input, name, sharing) };
  },
};

async function list({ json, libvirt, terminal, ...input }: VerbInput): Promise<string> {
  const report = await reportGuests({ ...hostOf(input), libvirt });
  return json ? toJson(report) : guestsTable(report, terminal);
}

async function change(input: VerbInput, name: string, sharing: Sharing): Promise<string> {
  const { bus: address, json, libvirt, root, terminal } = input;
  if (libvirt === 'none') throw new UsageError(`guests ${sharing} is done through libvirt: not with --libvirt none`);
  if (root !== OPTIONS.root.default) throw new UsageError(`guests ${sharing} does not take --root`);
  using bus = await Bus.connect(address);
  const outcome = await changeSharing(new Definitions(bus, libvirt), name, sharing);
  return json ? toJson(outcome) : fold([sharingText(outcome)], terminal);
}

function sharingOf(word: string): Sharing {
  if (word === 'forbid' || word === 'allow') return word;
  throw new UsageError(`guests takes forbid or allow, no "${word}"${didYouMean(word, ['forbid', 'allow'])}`);
}
