// A virtual host whose daemon keeps a history.
import { type HistoryMemory, type HistoryRecord, recordsOf } from '../../../src/core/history/record.js';
import type { Plan } from '../../../src/core/retune.js';
import type { HostOptions } from '../../../src/simulation/hostOptions.js';
import { Simulation } from '../../../src/simulation/run.js';
import type { GuestContent, Step, TimedStep } from '../../../src/simulation/step.js';

export const FROM = Date.parse('2026-01-05T08:00:00Z');
export const MINUTE = 60_000;

export interface Course {
  readonly host: HostOptions;
  readonly plan: Plan;
  /** There when the daemon starts. */
  readonly before: readonly Step[];
  readonly later?: readonly TimedStep[];
  readonly minutes: number;
}

/** What samepaged would have recorded from FROM on. */
export function recordOf({ host, plan, before, later = [], minutes }: Course): readonly HistoryRecord[] {
  const records: HistoryRecord[] = [];
  let memory: HistoryMemory | undefined;
  const simulation = new Simulation(host, (retune) => {
    const [next, fresh] = recordsOf(memory, retune, simulation.host.nowMillis);
    memory = next;
    records.push(...fresh.map((record) => ({ ...record, atMillis: FROM + Math.round(record.atMillis) })));
  });
  for (const step of before) simulation.take(step, true);
  simulation.start(plan);
  simulation.schedule(later);
  simulation.pass(minutes * MINUTE);
  return records;
}

export function start(guest: string, content: Partial<GuestContent>): Step {
  return { kind: 'start', guest, content: { commonMiB: 0, ownMiB: 0, rewrittenMiBPerSecond: 0, ...content } };
}

/** So many alike guests. */
export function starts(count: number, content: Partial<GuestContent>, name = 'guest'): readonly Step[] {
  return Array.from({ length: count }, (_, index) => start(`${name}${index + 1}`, content));
}
