import type { HistorySample } from '../core/history/record.js';
import type { HostOptions } from '../simulation/hostOptions.js';
import type { KernelVersion } from '../core/kernelVersion.js';
import type { GuestContent, Step, TimedStep } from '../simulation/step.js';
import { type Life, livesOf, sharableBytes } from './lives.js';
import { passesOf } from './passes.js';
import { type Segment, lengthMillis, meanOf } from './segments.js';

/** A virtual host that goes through what a segment has recorded. */
export interface RebuiltHost {
  readonly host: HostOptions;
  /** The guests that are there when it begins; so much of their memory is merged already. */
  readonly before: readonly Step[];
  readonly savedBytes: number;
  /** What happens then; times are from the beginning. */
  readonly later: readonly TimedStep[];
  readonly beginMillis: number;
  readonly durationMillis: number;
}

export interface Rebuilt {
  readonly hosts: readonly RebuiltHost[];
  /** The part of its memory that each guest has in common with all others. */
  readonly alikeShare: number;
}

const MIB = 1024 ** 2;

export function rebuild(segments: readonly Segment[]): Rebuilt {
  const lives = segments.map(livesOf);
  const alikeShare = alikeShareOf(segments, lives);
  const kernel = kernelOf(segments.flatMap(({ samples }) => samples));
  const hosts = segments.map((segment, index) => hostOf(segment, lives[index] ?? [], alikeShare, kernel));
  return { hosts, alikeShare };
}

function hostOf(segment: Segment, lives: readonly Life[], alikeShare: number, kernel: KernelVersion): RebuiltHost {
  const [first] = segment.samples;
  const contentOf = (bytes: number): GuestContent => {
    const allMiB = Math.round(bytes / MIB);
    const commonMiB = Math.round(allMiB * alikeShare);
    return { commonMiB, ownMiB: allMiB - commonMiB, rewrittenMiBPerSecond: 0 };
  };
  const start = ({ name, bytes }: Life): Step => ({ kind: 'start', guest: name, content: contentOf(bytes) });
  const at = (millis: number, step: Step): TimedStep => ({ atMillis: millis - first.atMillis, step });
  return {
    host: {
      kernel,
      memoryMiB: first.totalBytes / MIB,
      ownMiB: Math.max(meanOf(segment, ownBytes), 0) / MIB,
      promisedMiB: 0,
      overheadMiB: 0,
    },
    before: lives.filter(({ fromMillis }) => fromMillis === undefined).map(start),
    savedBytes: first.savedBytes,
    later: lives
      .flatMap((life) => [
        ...(life.fromMillis === undefined ? [] : [at(life.fromMillis, start(life))]),
        ...(life.toMillis === undefined ? [] : [at(life.toMillis, { kind: 'stop', guest: life.name })]),
      ])
      .toSorted((a, b) => a.atMillis - b.atMillis),
    beginMillis: first.atMillis,
    durationMillis: lengthMillis(segment),
  };
}

/** What is used by neither guests nor KSM's bookkeeping; the profit is what is saved less that. */
function ownBytes({ totalBytes, freeBytes, committedBytes, savedBytes, profitBytes }: HistorySample): number {
  return totalBytes - freeBytes - committedBytes + (profitBytes ?? savedBytes);
}

/** What was saved, of what could be saved if all guests were alike: on average, once ksmd had come to rest. */
function alikeShareOf(segments: readonly Segment[], lives: readonly (readonly Life[])[]): number {
  let [saved, all] = [0, 0];
  let [mostSaved, allThen] = [0, 0];
  for (const [index, segment] of segments.entries()) {
    for (const { sample, settledMillis } of passesOf(segment)) {
      const sharable = sharableBytes(lives[index] ?? [], sample.atMillis);
      saved += sample.savedBytes * settledMillis;
      all += sharable * settledMillis;
      if (sample.savedBytes > mostSaved) [mostSaved, allThen] = [sample.savedBytes, sharable];
    }
  }
  const share = all > 0 ? saved / all : allThen > 0 ? mostSaved / allThen : 0;
  return Math.min(share, 1);
}

/** One that tells as much as the recorded one did. */
function kernelOf(samples: readonly HistorySample[]): KernelVersion {
  if (samples.some(({ pagesScanned }) => pagesScanned !== undefined)) return { major: 6, minor: 18 };
  const tellsProfit = samples.some(({ profitBytes }) => profitBytes !== undefined);
  return tellsProfit ? { major: 6, minor: 5 } : { major: 5, minor: 10 };
}
