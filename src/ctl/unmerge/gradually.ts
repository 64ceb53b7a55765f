import { formatBytes, plural } from '../../core/format.js';
import { guestObstacle } from '../../core/hold.js';
import { shellWord } from '../../core/shellWord.js';
import { withDaemon } from '../../api/withDaemon.js';
import type { RetuneReply } from '../../api/replies.js';
import { messageOf } from '../../errors.js';
import { type GuestProcess, listGuestProcesses } from '../../host/guestProcess.js';
import { readKsmStat } from '../../host/ksmStat.js';
import { readMemoryFigures } from '../../host/meminfo.js';
import { readOffered } from '../../host/offeredMemory.js';
import { listProcesses, memoryStatus } from '../../host/processes.js';
import { pageSizeBytes } from '../../host/sysfs.js';
import { retuneLines, toJson } from '../command.js';
import { type LibvirtSide, TAINT, busOf, libvirtSide, monitorOf, withMonitor } from '../guests/liveGuest.js';
import { changeOffer, mergedBytesOf, offerObstacle } from '../guests/liveOffer.js';
import { fold } from '../../text/terminal.js';
import type { VerbInput, VerbResult } from '../verb.js';

/** A guest that was to be unmerged alone; what `samepagectl unmerge --gradually --json` prints of it. */
interface Step {
  readonly guest: string;
  /** What was merged of it. Undefined where it stays merged, or nobody tells. */
  readonly unmergedBytes?: number | undefined;
  /** Why it was left to the end. */
  readonly problem?: string;
}

/** A guest whose offer is to be put back, and the most of it that can still be merged. */
interface Withdrawn {
  readonly process: GuestProcess;
  readonly leftBytes: number;
}

/**
 * Unmerges guest by guest, the smallest first, each only if it fits into memory; then what is left of the host (run=2); then
 * the guests' memory is offered again, of which nothing is merged until `resume`.
 *
 * INVARIANTS: samepaged stops merging first, or ksmd would merge in one guest what is unmerged in another. A guest is never
 * left without its offer, whatever ends this: only SIGKILL does. The signal is looked at between guests.
 */
export async function unmergeGradually(input: VerbInput): Promise<VerbResult> {
  const stopped = await withDaemon(input.bus, (daemon) => daemon.command('Stop'));
  using bus = await busOf(input);
  const side = await libvirtSide(bus, input);
  using interrupt = new Interrupt();
  const steps: Step[] = [];
  const withdrawn: Withdrawn[] = [];
  let end: { retune: RetuneReply } | { obstacle: string };
  try {
    const obstacle = await unmergeGuests(input, side, { interrupt, steps, withdrawn });
    end = obstacle === undefined ? { retune: await unmergeRest(input, withdrawn) } : { obstacle };
  } finally {
    for (const { process } of withdrawn) steps.push(...(await putBack(process, side)));
    input.progress('');
  }
  const status = 'retune' in end ? 0 : 1;
  if (input.json) return { status, output: toJson({ guests: steps, ...end }) };
  const last =
    'retune' in end
      ? retuneLines(end.retune)
      : [`${end.obstacle}: what is unmerged stays so until samepagectl resume (${stopped.sentence ?? 'stopped'})`];
  return { status, output: fold([...steps.map(stepText), ...last], input.terminal) };
}

/** @returns why it did not go on. */
async function unmergeGuests(
  { force, notice, progress }: VerbInput,
  side: LibvirtSide,
  { interrupt, steps, withdrawn }: { interrupt: Interrupt; steps: Step[]; withdrawn: Withdrawn[] },
): Promise<string | undefined> {
  const guests = (await listGuestProcesses('')).filter((guest) => (mergedOf(guest) ?? 1) > 0);
  guests.sort((a, b) => (mergedOf(a) ?? 0) - (mergedOf(b) ?? 0));
  let told = false;
  for (const [index, guest] of guests.entries()) {
    const left = plural(guests.length - index, 'guest');
    if (interrupt.came) return `interrupted, ${left} not unmerged`;
    const obstacle = force ? undefined : offerObstacle('', guest);
    if (obstacle !== undefined) return `${left} not unmerged: ${obstacle}; --force does it all the same`;
    const offered = await readOffered('', guest.pid);
    if (offered === undefined || offered.offeredBytes < guest.configuredBytes / 2) {
      const why = offered === undefined ? 'only root may read what it offers' : 'its memory is not offered to KSM';
      steps.push({ guest: guest.name, problem: `not unmerged alone: ${why}` });
      continue;
    }
    try {
      const change = await withMonitor(guest, side, async (monitor) => {
        if (monitor.taints && !told) notice(TAINT);
        told ||= monitor.taints;
        // All of it, until it is read what came of it.
        withdrawn.push({ process: guest, leftBytes: mostMerged(guest) });
        const place = `${index + 1} of ${guests.length}`;
        return changeOffer('', guest, monitor, false, (text) => {
          progress(text === '' ? '' : `${place}, ${text}`);
        });
      });
      withdrawn[withdrawn.length - 1] = { process: guest, leftBytes: change.offeredBytes ?? mostMerged(guest) };
      steps.push({ guest: guest.name, unmergedBytes: change.mergedBytesBefore });
    } catch (error) {
      steps.push({ guest: guest.name, problem: messageOf(error) });
    }
  }
  return interrupt.came ? 'interrupted, what is left is not unmerged' : undefined;
}

/**
 * run=2, by samepaged. The kernel's counters fall only when ksmd comes by, which has stopped: samepaged would count guests
 * that are unmerged. So what is left is counted here.
 */
async function unmergeRest({ bus, force, progress }: VerbInput, withdrawn: readonly Withdrawn[]): Promise<RetuneReply> {
  const done = new Map(withdrawn.map(({ process, leftBytes }) => [process.pid, leftBytes]));
  const left = (await mostMergedByPid()).reduce((sum, [pid, bytes]) => sum + (done.get(pid) ?? bytes), 0);
  const fits = guestObstacle('memory', left, readMemoryFigures('')) === undefined;
  progress(`unmerging what is left, at most ${formatBytes(left)}`);
  return withDaemon(bus, (daemon) => daemon.command('Unmerge', 'b', [force || fits]));
}

/** @returns a step with the problem where the offer could not be put back. A guest that has ended needs none. */
async function putBack(process: GuestProcess, side: LibvirtSide): Promise<readonly Step[]> {
  if ((await readOffered('', process.pid)) === undefined) return [];
  try {
    using monitor = await monitorOf(process, side);
    await changeOffer('', process, monitor, true, () => undefined);
    return [];
  } catch (error) {
    const advice = `samepagectl guests allow --now -- ${shellWord(process.name)}`;
    return [{ guest: process.name, problem: `its memory is not offered again (${messageOf(error)}): ${advice}` }];
  }
}

function stepText({ guest, unmergedBytes, problem }: Step): string {
  if (problem !== undefined) return problem.startsWith('guest ') ? problem : `guest ${guest}: ${problem}`;
  return `guest ${guest}: ${unmergedBytes === undefined ? 'unmerged' : `${formatBytes(unmergedBytes)} unmerged`}`;
}

/** Of every process: not guests alone can have merged memory. */
async function mostMergedByPid(): Promise<readonly (readonly [number, number])[]> {
  const guests = (await listGuestProcesses('')).map((guest) => [guest.pid, mostMerged(guest)] as const);
  const seen = new Set(guests.map(([pid]) => pid));
  // A thread of the kernel has no memory, and its files are empty.
  const hasMemory = (pid: number) => (memoryStatus('', pid)?.('VmRSS') ?? 0) > 0;
  const others = listProcesses('').filter(({ pid }) => !seen.has(pid) && hasMemory(pid));
  const read = others.map(async ({ pid }) => {
    const ksmStat = await readKsmStat('', pid);
    return [pid, ksmStat.kind === 'told' ? (mergedBytesOf(ksmStat.stat, pageSizeBytes('')) ?? 0) : 0] as const;
  });
  return [...guests, ...(await Promise.all(read))];
}

function mostMerged(guest: GuestProcess): number {
  return mergedOf(guest) ?? guest.residentBytes;
}

/** Undefined where only root may read it, or this kernel does not tell. */
function mergedOf({ ksmStat }: GuestProcess): number | undefined {
  return ksmStat.kind === 'told' ? mergedBytesOf(ksmStat.stat, pageSizeBytes('')) : undefined;
}

/** Ctrl-C and the signals that end a service, kept until somebody looks. */
class Interrupt implements Disposable {
  came = false;
  private readonly take = (): void => {
    this.came = true;
  };

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, this.take);
  }

  [Symbol.dispose](): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, this.take);
  }
}
