import { isDeepStrictEqual } from 'node:util';
import { KEYS, type Values, readValue } from '../config/keys.js';
import type { HistoryDecision } from '../core/history/record.js';
import { EXIT, FatalError } from '../errors.js';
import { planOf } from '../config/plan.js';
import { type KsmdCosts, MEASURED_COSTS } from '../simulation/kernel/costs.js';
import { trajectoryOf } from './trajectory.js';
import { type TrajectoryFigures, figuresOf, sumOf } from './figures.js';
import { type RebuiltHost, rebuild } from './rebuild.js';
import { type Segment, lengthMillis } from './segments.js';

/** What a record is replayed with. */
export interface ReplaySettings {
  /** Of the host as it was; its policy gives way to the recorded one. */
  readonly asRecorded: Values;
  readonly other: Values;
  /** CPU time that a page cost ksmd in the record, in nanoseconds. */
  readonly nanosPerPage: number | undefined;
  /** Is called with how much of the work is done, from 0 to 1. */
  readonly onProgress: (share: number) => void;
}

/** What a configuration made of the rebuilt hosts. */
export interface Trial {
  readonly figures: TrajectoryFigures;
  readonly decisions: readonly HistoryDecision[];
}

export interface Replay {
  readonly hosts: readonly RebuiltHost[];
  /** The part of its memory that each guest has in common with all others. */
  readonly alikeShare: number;
  /** What a page costs ksmd, as a multiple of MEASURED_COSTS. */
  readonly costFactor: number;
  readonly recorded: Trial;
  /** Undefined where it is the same as what was recorded. */
  readonly other: Trial | undefined;
}

/** Beyond this the cost of a page tells of something else. */
const LEAST_FACTOR = 0.25;
const MOST_FACTOR = 4;

/** Runs what was recorded once more on virtual hosts, as it was and under another configuration. */
export function replay(segments: readonly Segment[], settings: ReplaySettings): Replay {
  const replayed = segments.filter((segment) => lengthMillis(segment) > 0);
  const { hosts, alikeShare } = rebuild(replayed);
  const policies = new Set(replayed.map(({ policy }) => policy));
  const recordedValues = new Map([...policies].map((policy) => [policy, valuesFor(settings.asRecorded, policy)]));
  const asRecorded = (index: number) => recordedValues.get(replayed[index]?.policy) ?? settings.asRecorded;
  const isSame = [...recordedValues.values()].every((values) => isDeepStrictEqual(values, settings.other));
  const trials = [true, settings.nanosPerPage !== undefined, !isSame].filter((needed) => needed).length;
  const allMillis = trials * replayed.reduce((sum, segment) => sum + lengthMillis(segment), 0);
  let passedMillis = 0;
  const trial = (valuesOf: (index: number) => Values, costs: KsmdCosts): Trial => {
    const parts = hosts.map((host, index): Trial => {
      const plan = planOf({ because: { kind: 'start' }, values: valuesOf(index), hold: undefined }, undefined);
      const trajectory = trajectoryOf(host, plan, costs, (millis) => {
        passedMillis += millis;
        settings.onProgress(passedMillis / allMillis);
      });
      // Only its figures are kept: the points of a month take much memory.
      return { figures: figuresOf(trajectory, host), decisions: trajectory.decisions };
    });
    const figures = sumOf(parts.map((part) => part.figures));
    return { figures, decisions: parts.flatMap(({ decisions }) => decisions) };
  };
  const measured = trial(asRecorded, MEASURED_COSTS);
  const costFactor = factorFor(measured.figures, settings.nanosPerPage);
  const costs = scaledCosts(costFactor);
  return {
    hosts,
    alikeShare,
    costFactor,
    recorded: costFactor === 1 ? measured : trial(asRecorded, costs),
    other: isSame ? undefined : trial(() => settings.other, costs),
  };
}

/** A record without a decision does not show its policy: then it is the configured one. */
function valuesFor(values: Values, policy: string | undefined): Values {
  if (policy === undefined) return values;
  const known = readValue('KSM_POLICY', policy);
  if (known !== undefined) return { ...values, KSM_POLICY: known };
  const problem = `a decision of the policy ${policy} was recorded; expected ${KEYS.KSM_POLICY.expected}`;
  throw new FatalError(`${problem}: there is nothing to replay it with`, EXIT.usage);
}

function factorFor({ ksmdCpuNanos, pagesScanned }: TrajectoryFigures, nanosPerPage: number | undefined): number {
  if (pagesScanned === 0 || nanosPerPage === undefined) return 1;
  return Math.min(Math.max((nanosPerPage * pagesScanned) / ksmdCpuNanos, LEAST_FACTOR), MOST_FACTOR);
}

function scaledCosts(factor: number): KsmdCosts {
  const { pacedFactor, tickNanos, stableSearch, unstableSearch, ...each } = MEASURED_COSTS;
  const search = ({ nearNanos, farNanos }: KsmdCosts['stableSearch']) => {
    return { nearNanos: nearNanos * factor, farNanos: farNanos * factor };
  };
  const scaled = Object.fromEntries(Object.entries(each).map(([name, nanos]) => [name, nanos * factor]));
  return {
    ...(scaled as typeof each),
    ...{ stableSearch: search(stableSearch), unstableSearch: search(unstableSearch), pacedFactor, tickNanos },
  };
}
