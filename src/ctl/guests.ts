import { nearest } from '../core/nearest.js';
import { Definitions } from '../libvirt/definitions.js';
import { reportGuests } from './guestsReport.js';
import { type Sharing, changeSharing, sharingText, withLibvirt } from './guestsSharing.js';
import { guestsTable } from './guestsTable.js';
import { hostRoot } from './hostRoot.js';
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

/** With another host's files, this host's libvirt is asked only where --bus names one. */
async function list({ bus, json, libvirt, root: given }: VerbInput): Promise<string> {
  const root = hostRoot(given);
  const elsewhere = root !== '' && bus === OPTIONS.bus.default;
  const report = await reportGuests({ root, bus, libvirt: elsewhere ? 'none' : libvirt });
  return json ? JSON.stringify(report, undefined, 2) : guestsTable(report);
}

async function change({ bus, json, libvirt, root }: VerbInput, name: string, sharing: Sharing): Promise<string> {
  if (libvirt === 'none') throw new UsageError(`guests ${sharing} is done through libvirt: not with --libvirt none`);
  if (root !== OPTIONS.root.default) throw new UsageError(`guests ${sharing} does not take --root`);
  const outcome = await withLibvirt(bus, (connection) =>
    changeSharing(new Definitions(connection, libvirt), name, sharing),
  );
  return json ? JSON.stringify(outcome, undefined, 2) : sharingText(outcome);
}

function sharingOf(word: string): Sharing {
  if (word === 'forbid' || word === 'allow') return word;
  const near = nearest(word, ['forbid', 'allow']);
  throw new UsageError(
    `guests takes forbid or allow, no "${word}"${near === undefined ? '' : `; did you mean ${near}?`}`,
  );
}
