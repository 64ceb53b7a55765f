import { formatBytes } from '../core/format.js';
import { formatDuration } from '../core/duration.js';
import { DESKTOPS, MORNING_MEMORY_MIB, MORNING_MILLIS, SERVERS } from './morning.js';
import { clockOf } from './clock.js';
import type { Score } from './score.js';
import type { View } from './show.js';

/** What was simulated, and what came of it; a paragraph each. */
export function summary([first, second]: readonly [View, View]): readonly string[] {
  const [one, other] = [first.score, second.score];
  const size = formatBytes(MORNING_MEMORY_MIB * 1024 ** 2);
  const both = (of: (score: Score) => string) =>
    `${of(other)} under ${second.policy} and ${of(one)} under ${first.policy}`;
  return [
    `This was a simulation: a host of ${size} with ${SERVERS} servers and up to ${DESKTOPS} desktops from ${clockOf(0)} ` +
      `to ${clockOf(MORNING_MILLIS)}, and a model of the kernel's ksmd with measured costs. What ran on it, once with each ` +
      `policy and its defaults, is samepaged's own loop, policies and screen. Nothing of this machine was read or changed. ` +
      `Other hosts give other figures.`,
    `On average ${both(({ meanSavedBytes }) => formatBytes(meanSavedBytes))} were saved. ` +
      `In the tightest moment ${both(({ leastFreeBytes }) => formatBytes(leastFreeBytes))} were free. ` +
      `ksmd took ${both(cpu)}.`,
    `No event announces the update. 90 % of its gain came ${both(found)}.`,
  ];
}

/** "adaptive saved 3.0 GiB more on average; its ksmd took 290 s more CPU" */
export function difference([first, second]: readonly [View, View]): string {
  const saved = second.score.meanSavedBytes - first.score.meanSavedBytes;
  const seconds = Math.round((second.score.ksmdCpuNanos - first.score.ksmdCpuNanos) / 1e9);
  const [savedWord, cpuWord] = [saved, seconds].map((amount) => (amount < 0 ? 'less' : 'more'));
  return (
    `${second.policy} saved ${formatBytes(Math.abs(saved))} ${savedWord} on average; ` +
    `its ksmd took ${Math.abs(seconds)} s ${cpuWord} CPU`
  );
}

/** What to do next; not to be broken. */
export const NEXT: readonly string[] = [
  'Next, on a host with guests:',
  '  npm start                        tunes it; a dry run without root',
  '  node dist/src/ctl/main.js watch  this screen for it (samepagectl watch)',
];

function cpu({ ksmdCpuNanos }: Score): string {
  const percent = (ksmdCpuNanos / 1e6 / MORNING_MILLIS) * 100;
  return `${Math.round(ksmdCpuNanos / 1e9)} s of CPU time (${percent.toFixed(1)} % of a core)`;
}

function found({ waves }: Score): string {
  const gained = waves.at(-1)?.gainedMillis;
  return gained === undefined ? 'not by noon' : `after ${formatDuration(Math.ceil(gained / 60_000) * 60_000)}`;
}
