import { Bus } from '../../dbus/bus.js';
import { didYouMean } from '../../text/nearest.js';
import { Definitions } from '../../libvirt/definitions.js';
import { toJson } from '../command.js';
import { otherManagerAdvice } from '../../text/guestRemedy.js';
import { shellWord } from '../../text/shellWord.js';
import { chooseGuest, shownGuests } from './find.js';
import { changeNow, nowText } from './now.js';
import { reportGuests } from './report.js';
import { type Sharing, changeSharing, sharingText } from './sharing.js';
import { guestsTable } from './table.js';
import { hostOf } from '../hostRoot.js';
import { fold } from '../../text/terminal.js';
import { OPTIONS, UsageError, type VerbInput, type VerbResult } from '../verb.js';

export async function run(input: VerbInput): Promise<VerbResult> {
  const [word, name, ...rest] = input.words;
  if (word === undefined) {
    if (input.now || input.force) throw new UsageError('guests takes --now and --force with forbid or allow only');
    return { status: 0, output: await list(input) };
  }
  const sharing = sharingOf(word);
  if (name === undefined || name === '') throw new UsageError(`guests ${word}: which guest?`);
  if (rest.length > 0) throw new UsageError(`guests ${word} takes one guest, not "${rest.join(' ')}"`);
  return { status: 0, output: await change(input, name, sharing) };
}

async function list({ json, libvirt, terminal, ...input }: VerbInput): Promise<string> {
  const report = await reportGuests({ ...hostOf(input), libvirt });
  return json ? toJson(report) : guestsTable(report, terminal);
}

async function change(input: VerbInput, name: string, sharing: Sharing): Promise<string> {
  const { bus: address, json, libvirt, root, terminal } = input;
  if (root !== OPTIONS.root.default) throw new UsageError(`guests ${sharing} does not take --root`);
  if (input.now) {
    const outcome = await changeNow(input, name, sharing);
    return json ? toJson(outcome) : fold(nowText(outcome), terminal);
  }
  if (input.force) throw new UsageError(`guests ${sharing} takes --force with --now only`);
  try {
    if (libvirt === 'none') {
      throw new UsageError(`guests ${sharing} is done through libvirt: not with --libvirt none`);
    }
    using bus = await Bus.connect(address);
    const outcome = await changeSharing(new Definitions(bus, libvirt), name, sharing);
    return json ? toJson(outcome) : fold([sharingText(outcome)], terminal);
  } catch (error) {
    throw (await startedByAnother(name, sharing)) ?? error;
  }
}

/** Where the guest runs and another manager than this host's libvirt has it: what is to be done there. */
async function startedByAnother(name: string, sharing: Sharing): Promise<Error | undefined> {
  const guest = chooseGuest(name, await shownGuests());
  if (guest === undefined || guest.manager === 'libvirt') return undefined;
  const now = `at once: samepagectl guests ${sharing} --now -- ${shellWord(guest.name)}`;
  return new Error(`${otherManagerAdvice(guest, sharing)}${guest.qmpSocket !== undefined ? `; ${now}` : ''}`);
}

function sharingOf(word: string): Sharing {
  if (word === 'forbid' || word === 'allow') return word;
  throw new UsageError(`guests takes forbid or allow, not "${word}"${didYouMean(word, ['forbid', 'allow'])}`);
}
