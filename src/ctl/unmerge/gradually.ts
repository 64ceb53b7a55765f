import { formatBytes } from '../../core/format.js';
import { guestObstacle } from '../../core/hold.js';
import { withDaemon } from '../../api/withDaemon.js';
import type { RetuneReply } from '../../api/replies.js';
import { listGuestProcesses } from '../../host/guestProcess.js';
import { mergedBytesOf, readKsmStat } from '../../host/ksmStat.js';
import { readMemoryFigures } from '../../host/meminfo.js';
import { listProcesses, memoryStatus } from '../../host/processes.js';
import { pageSizeBytes } from '../../host/sysfs.js';
import { isDone, retuneLines, toJson } from '../command.js';
import { fold } from '../../text/terminal.js';
import { type Withdrawn, mostMerged, oneByOne, stepText, unmergeGuests } from './guests.js';
import type { VerbInput, VerbResult } from '../verb.js';

/**
 * Unmerges guest by guest, the smallest first, each only if it fits into memory; then what is left of the host (run=2); then
 * the guests' memory is offered again, of which nothing is merged until `resume`.
 *
 * INVARIANTS: samepaged stops merging first, or ksmd would merge in one guest what is unmerged in another. A guest is never
 * left without its offer, whatever ends this: only SIGKILL does. The signal is looked at between guests.
 */
export async function unmergeGradually(input: VerbInput): Promise<VerbResult> {
  const stopped = await withDaemon(input.bus, (daemon) => daemon.command('Stop'));
  if (!isDone(stopped))
    throw new Error(`${retuneLines(stopped).join('; ')}: no guest is unmerged while ksmd may merge`);
  const { result: end, steps } = await oneByOne(input, async (means) => {
    const obstacle = await unmergeGuests(input, means);
    return obstacle === undefined ? { retune: await unmergeRest(input, means.withdrawn) } : { obstacle };
  });
  const status = 'retune' in end ? 0 : 1;
  if (input.json) return { status, output: toJson({ guests: steps, ...end }) };
  const last =
    'retune' in end
      ? retuneLines(end.retune)
      : [`${end.obstacle}: what is unmerged stays so until samepagectl resume (${stopped.sentence ?? 'stopped'})`];
  return { status, output: fold([...steps.map(stepText), ...last], input.terminal) };
}

/**
 * run=2, by samepaged. The kernel's counters fall only when ksmd comes by, which has stopped: samepaged would count guests
 * that are unmerged. So what is left is counted here.
 */
async function unmergeRest({ bus, force, progress }: VerbInput, withdrawn: readonly Withdrawn[]): Promise<RetuneReply> {
  const done = new Map(withdrawn.map(({ process, leftBytes }) => [process.pid, leftBytes]));
  const left = (await mostMergedByPid()).reduce((sum, [pid, bytes]) => sum + (done.get(pid) ?? bytes), 0);
  progress(`unmerging what is left, at most ${formatBytes(left)}`);
  return withDaemon(bus, async (daemon) => {
    // As samepaged's own check does: guests may write to what splits of huge pages freed.
    const { freedBytes } = await daemon.properties();
    const fits = guestObstacle('memory', left + freedBytes, readMemoryFigures('')) === undefined;
    return daemon.command('Unmerge', 'b', [force || fits]);
  });
}

/** Of every process: not guests alone can have merged memory. */
async function mostMergedByPid(): Promise<readonly (readonly [number, number])[]> {
  const guests = (await listGuestProcesses('')).map((guest) => [guest.pid, mostMerged(guest)] as const);
  const seen = new Set(guests.map(([pid]) => pid));
  // A thread of the kernel has no memory, and its files are empty.
  const hasMemory = (pid: number) => (memoryStatus('', pid)?.('VmRSS') ?? 0) > 0;
  const others = listProcesses('').filter(({ pid }) => !seen.has(pid) && hasMemory(pid));
  const read = others.map(async ({ pid }) => {
    return [pid, mergedBytesOf(await readKsmStat('', pid), pageSizeBytes('')) ?? 0] as const;
  });
  return [...guests, ...(await Promise.all(read))];
}
