import { setTimeout as sleep } from 'node:timers/promises';
import type { BusAddress } from '../../dbus/address.js';
import { NotRunning } from '../../api/notRunning.js';
import { formatDuration, parseDuration } from '../../core/duration.js';
import { formatBytes } from '../../core/format.js';
import type { Root } from '../../host/sysfs.js';
import { toJson } from '../command.js';
import { agree } from './agree.js';
import { type Burst, EndedByOthers } from './burst.js';
import { DaemonBurst } from './daemonBurst.js';
import { type Figures, readFigures } from './figures.js';
import { type UnmergeAlone, giveBack, unmergeAlone } from './giveBack.js';
import { type BurstEnd, estimateOf, estimateText, warningText } from './result.js';
import { hostOf } from '../hostRoot.js';
import { Interrupt } from '../interrupt.js';
import { fold } from '../../text/terminal.js';
import { UsageError, type VerbInput, type VerbResult } from '../verb.js';

const LOOK_MILLIS = 500;
const LONGEST_MILLIS = 3_600_000;
const INTERRUPTED_STATUS = 130;

export async function run(input: VerbInput): Promise<VerbResult> {
  const { words, keep, json, terminal } = input;
  if (words.length > 0) throw new UsageError(`estimate takes no "${words.join(' ')}"`);
  const longestMillis = longest(input.for);
  const { root, bus } = hostOf(input);
  await using burst = await burstOn(root, bus);
  const before = await readFigures(root);
  await agree(input, warningText(longestMillis, keep, before.savings, before.guests.length));
  const { after, ending } = await measure(input, root, burst, before, longestMillis);
  const back = keep
    ? ['What was merged stays merged (--keep).']
    : await giveBack(input, root, burst, before, after, aloneOn(input, root));
  const result = estimateOf(before, after, ending);
  const output = json ? toJson({ ...result, kept: keep, back }) : fold([...estimateText(result), ...back], terminal);
  return { status: ending.end === 'interrupted' ? INTERRUPTED_STATUS : 0, output };
}

function longest(text: string): number {
  const millis = parseDuration(text);
  if (millis !== undefined && millis <= LONGEST_MILLIS) return millis;
  throw new UsageError(`--for ${text}: expected a time from 1s to 1h, as 90s or 2m`);
}

/** By the samepaged that runs, otherwise by this process. */
async function burstOn(root: Root, bus: BusAddress | undefined): Promise<Burst> {
  try {
    if (bus !== undefined) return await DaemonBurst.open(bus);
  } catch (error) {
    if (!(error instanceof NotRunning)) throw error;
  }
  // A command that asks a daemon needs none of it.
  const { OwnBurst } = await import('./ownBurst.js');
  return OwnBurst.open(root);
}

/** Of another root's files no process can be reached. */
function aloneOn(input: VerbInput, root: Root): UnmergeAlone {
  return root === '' ? (chosen) => unmergeAlone(input, chosen) : () => Promise.resolve([]);
}

/** Ends with ksmd at rest. @throws Error, when everything has been given back as far as that can be. */
async function measure(
  input: VerbInput,
  root: Root,
  burst: Burst,
  before: Figures,
  longestMillis: number,
): Promise<{ readonly after: Figures; readonly ending: BurstEnd }> {
  using interrupt = new Interrupt();
  const began = performance.now();
  await burst.begin(longestMillis);
  try {
    const end = await untilItEnds(input, burst, { began, longestMillis, interrupt });
    const millis = performance.now() - began;
    const last = await burst.read();
    await burst.rest();
    input.progress('');
    return { after: await readFigures(root, last), ending: { end, millis } };
  } catch (error) {
    input.progress('');
    if (!(error instanceof EndedByOthers) && !input.keep) {
      await burst.rest();
      await giveBack(input, root, burst, before, await readFigures(root), aloneOn(input, root));
    }
    throw error;
  }
}

async function untilItEnds(
  { progress }: VerbInput,
  burst: Burst,
  { began, longestMillis, interrupt }: { began: number; longestMillis: number; interrupt: Interrupt },
): Promise<BurstEnd['end']> {
  for (;;) {
    const { isOver, stage = 'merging', savedBytes } = await burst.read();
    if (isOver) return 'over';
    if (interrupt.came) return 'interrupted';
    const millis = performance.now() - began;
    if (millis >= longestMillis) return 'cut';
    const time = `${formatDuration(millis)} of ${formatDuration(longestMillis)}`;
    progress(`estimating, ${time}: ${formatBytes(savedBytes)} saved; ${stage}`);
    await sleep(Math.min(LOOK_MILLIS, longestMillis - millis));
  }
}
